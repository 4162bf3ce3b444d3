import type { HttpFormat } from '../config/types.ts';

/**
 * What `/status` answers, as it stands in its JSON. Bytes of logs are of uncompressed content, times are RFC 3339 in UTC,
 * null is unknown. Nothing in it is secret: of a URL there is the origin.
 */
export interface AgentStatus {
  /** Of this form; a number that a reader does not know means that it has to be renewed. */
  readonly version: typeof STATUS_VERSION;
  readonly program: string;
  readonly pid: number;
  readonly time: string;
  /** `reloading`: a new configuration is about to apply. */
  readonly phase: 'starting' | 'running' | 'reloading' | 'stopping';
  /** Why the agent does not do its work now; empty when it is ready. */
  readonly unready: readonly string[];
  readonly sources: readonly SourceStatus[];
  readonly sinks: readonly SinkStatus[];
  readonly commits: { readonly completed: number; readonly failures_in_a_row: number };
  readonly memory: { readonly resident_bytes: number; readonly archive_bytes_in_flight: number };
  readonly state: DirectoryStatus;
  /** Warnings and errors since the start, the newest first. */
  readonly troubles: readonly TroubleStatus[];
}

export const STATUS_VERSION = 1;

export interface DirectoryStatus {
  readonly directory: string;
  readonly free_bytes: number | null;
  readonly size_bytes: number | null;
}

export interface SourceStatus {
  readonly name: string;
  readonly path: string;
  /** Log files that the last look found, rotated parts included; null when that look failed. */
  readonly files: number | null;
  readonly unreadable: readonly string[];
  /** Seconds until rotation deletes the oldest bytes that a sink has not, if nothing more was read; an estimate. */
  readonly window_seconds: number | null;
  readonly unread_bytes: { readonly live: number; readonly rotated: number };
  readonly held_deleted_bytes: number;
  readonly open_files: number;
  readonly lag: readonly LagStatus[];
  readonly streams: readonly StreamStatus[];
}

/** What one sink has yet to take of one source. */
export interface LagStatus {
  readonly sink: string;
  readonly bytes: number;
  /** The age of the oldest event that it has not taken, estimated from the times of events near it. */
  readonly seconds: number;
}

export interface StreamStatus {
  readonly path: string;
  /** Those that are being read, or are held for a sink, oldest first. */
  readonly segments: readonly SegmentStatus[];
}

export interface SegmentStatus {
  readonly path: string;
  readonly state: 'live' | 'rotated' | 'deleted';
  readonly gzip: boolean;
  readonly size: number;
  /** Up to where it was read. */
  readonly read: number;
  readonly first_event: string | null;
  readonly last_event: string | null;
  /** Up to where each sink has taken it: written (durable with the next commit), delivered or spooled. */
  readonly sinks: readonly { readonly sink: string; readonly offset: number; readonly lag: number }[];
}

export type SinkStatus = FileSinkStatus | HttpSinkStatus;

export interface FileSinkStatus extends DirectoryStatus {
  readonly name: string;
  readonly type: 'file';
  readonly open_files: number;
}

/**
 * `direct`: events go from memory to the receiver. `spooling`: the spool is written and sent first. `behind`: it reads
 * the log by itself, later than the others. `blocked`: the receiver refuses everything until somebody mends something.
 * The last of these that is true.
 */
export const HTTP_STATES = ['direct', 'spooling', 'behind', 'blocked'] as const;
export type HttpState = (typeof HTTP_STATES)[number];

export interface HttpSinkStatus {
  readonly name: string;
  readonly type: 'http';
  readonly format: HttpFormat;
  readonly origin: string;
  readonly state: HttpState;
  /** Whether the last request was answered with success. */
  readonly receiver: 'taking' | 'away' | 'blocked';
  readonly queue_bytes: number;
  readonly spool: { readonly events: number; readonly bytes: number; readonly max_bytes: number };
  readonly dead_letters: { readonly events: number; readonly bytes: number; readonly max_bytes: number };
  readonly last_error: TroubleStatus | null;
}

export interface TroubleStatus {
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly sink: string | null;
  readonly source: string | null;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  readonly first: string;
  readonly last: string;
  readonly count: number;
}
