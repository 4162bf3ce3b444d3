import { AuditailError } from '../errors.ts';
import type { Source } from '../source/source.ts';
import type { HttpEventSink } from './event-sink.ts';

/**
 * For a run that ends by itself.
 *
 * @throws AuditailError `UNDELIVERED` when sinks did not get everything, `UNREADABLE` when files could not be read
 */
export function assertAllDone(undelivered: readonly HttpEventSink[], sources: readonly Source[]): void {
  if (undelivered.length > 0) {
    const names = undelivered.map(({ config }) => config.name).join(', ');
    throw new AuditailError('UNDELIVERED', `not everything could be delivered to ${names}`, {
      hint: 'It waits in the spool, or in the log where that is full, and is sent by the next run',
    });
  }
  const unread = sources.flatMap((source) => [...source.troubles.unreadable]);
  if (unread.length === 0) return;
  throw new AuditailError('UNREADABLE', `could not read ${unread.join(', ')}`, {
    hint: 'The agent needs root or CAP_DAC_READ_SEARCH; what could be read is archived',
  });
}
