import type { AgentStatus, DirectoryStatus, SinkStatus } from '../../admin/agent-status.ts';
import { formatBytes, formatCount } from '../format/quantity.ts';

/** What a sink has yet to take of all sources: bytes, and the age of the oldest event among them in seconds. */
export interface SinkLag {
  readonly bytes: number;
  readonly seconds: number;
}

export function sinkLag({ sources }: Pick<AgentStatus, 'sources'>, sink: string): SinkLag {
  const lags = sources.flatMap(({ lag }) => lag.filter((one) => one.sink === sink));
  return {
    bytes: lags.reduce((sum, { bytes }) => sum + bytes, 0),
    seconds: Math.max(0, ...lags.map(({ seconds }) => seconds)),
  };
}

/** `2 open`; `spooling, away`, where the receiver is. */
export function sinkState(sink: SinkStatus): string {
  if (sink.type === 'file') return `${formatCount(sink.open_files)} open`;
  return sink.receiver === 'away' ? `${sink.state}, away` : sink.state;
}

/** `elasticsearch`; a file sink's is `file`. */
export function sinkType(sink: SinkStatus): string {
  return sink.type === 'file' ? sink.type : sink.format;
}

/** Bytes, and their share of what may be there: `0 B`, `512.0 MiB, 50%`. */
export function spoolText(sink: SinkStatus): string {
  if (sink.type === 'file') return '-';
  const { bytes, max_bytes: max } = sink.spool;
  return bytes === 0 ? formatBytes(bytes) : `${formatBytes(bytes)}, ${Math.round((100 * bytes) / max)}%`;
}

export function queueText(sink: SinkStatus): string {
  return sink.type === 'file' ? '-' : formatBytes(sink.queue_bytes);
}

export function lettersText(sink: SinkStatus): string {
  return sink.type === 'file' ? '-' : formatCount(sink.dead_letters.events);
}

/** The origin of the receiver, or the directory with its free space. */
export function placeText(sink: SinkStatus): string {
  return sink.type === 'http' ? sink.origin : `${sink.directory} (${freeText(sink)})`;
}

export function freeText({ free_bytes: free, size_bytes: size }: DirectoryStatus): string {
  if (free === null || size === null) return 'free space unknown';
  return `${formatBytes(free)} of ${formatBytes(size)} free`;
}
