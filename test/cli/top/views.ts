import type { AgentStatus, FileSinkStatus, HttpSinkStatus, SourceStatus } from '../../../src/admin/agent-status.ts';
import type { Look } from '../../../src/cli/top/look.ts';
import type { Row } from '../../../src/cli/top/row.ts';
import type { View } from '../../../src/cli/top/view.ts';
import { EMPTY_STATUS } from '../../admin/fake-view.ts';

export const MIB = 1024 ** 2;

export function source(name: string, changes: Partial<SourceStatus> = {}): SourceStatus {
  return {
    name,
    path: `/log/${name}.log`,
    files: 1,
    unreadable: [],
    window_seconds: null,
    unread_bytes: { live: 0, rotated: 0 },
    held_deleted_bytes: 0,
    open_files: 1,
    lag: [],
    streams: [],
    ...changes,
  };
}

export function fileSink(name: string, changes: Partial<FileSinkStatus> = {}): FileSinkStatus {
  return { name, type: 'file', open_files: 2, directory: '/archive', free_bytes: 1500, size_bytes: 2048, ...changes };
}

export function httpSink(name: string, changes: Partial<HttpSinkStatus> = {}): HttpSinkStatus {
  return {
    name,
    type: 'http',
    format: 'ndjson',
    origin: `https://${name}.example`,
    state: 'direct',
    receiver: 'taking',
    queue_bytes: 0,
    spool: { events: 0, bytes: 0, max_bytes: 100 * MIB },
    dead_letters: { events: 0, bytes: 0, max_bytes: 100 },
    last_error: null,
    ...changes,
  };
}

export function lookAt(status: Partial<AgentStatus>): Look {
  return { status: { ...EMPTY_STATUS, ...status }, at: 0, uptimeSeconds: 5400, counters: new Map() };
}

export function viewOf(status: Partial<AgentStatus> | undefined, changes: Partial<View> = {}): View {
  return {
    place: '127.0.0.1:9477',
    look: status && lookAt(status),
    rates: { perSecond: () => undefined },
    failure: undefined,
    secondsOld: 0,
    isWaiting: false,
    isPaused: false,
    intervalMs: 2000,
    sort: 'attention',
    ...changes,
  };
}

/** The rows as text, without spaces at their ends. */
export function textOf(rows: readonly Row[]): string[] {
  return rows.map((row) =>
    row
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}
