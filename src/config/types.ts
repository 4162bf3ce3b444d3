import type { LogFormat, LogLevel } from '../telemetry/logger.ts';

/** The checked configuration: defaults filled in, units converted (bytes, milliseconds), frozen. */
export interface Config {
  readonly stateDir: string;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Bytes of events in flight, over all sinks. */
  readonly memoryLimit: number;
  /** Compression threads. */
  readonly threads: number;
  readonly commit: CommitConfig;
  readonly shutdownTimeoutMs: number;
  readonly sources: readonly SourceConfig[];
  readonly rewrite: readonly RewriteRule[];
  /** Tag template for events that no rule matched. */
  readonly rewriteMissing: string;
  readonly sinks: readonly SinkConfig[];
}

/** `disk` survives a power loss (fdatasync, `synchronous=FULL`); `process` survives `kill -9` only. */
export const DURABILITIES = ['disk', 'process'] as const;
export type Durability = (typeof DURABILITIES)[number];

export interface CommitConfig {
  readonly intervalMs: number;
  readonly bytes: number;
  readonly durability: Durability;
}

export interface SourceConfig {
  readonly name: string;
  readonly tag: string;
  /** A live file, a directory, or a glob. */
  readonly path: string;
  /** Globs; one without a slash is matched against the base name, others against the whole path. */
  readonly exclude: readonly string[];
  readonly format: 'json';
  readonly readFrom: 'head' | 'tail';
  readonly maxLineBytes: number;
  readonly refreshIntervalMs: number;
  readonly rotateWaitMs: number;
  readonly heldBytes: number;
}

export const SANITIZERS = ['dns1123'] as const;
export type Sanitizer = (typeof SANITIZERS)[number];

export interface RewriteRule {
  /** Tag pattern that the source tag must match for this rule to be tried. */
  readonly match: string;
  /** Field path, `objectRef.namespace` or `$['annotations']['a.b/c']`. */
  readonly key: string;
  /** Regular expression source (JavaScript syntax), tried on the first 1 KiB of the value. */
  readonly pattern: string;
  /** Tag template: `${tag}`, `${tag[n]}`, `$1`…`$9`. */
  readonly tag: string;
  readonly invert: boolean;
  readonly sanitize: Sanitizer | undefined;
}

/** HTTP sinks join this union when they exist. */
export type SinkConfig = FileSinkConfig;

export const COMPRESSIONS = ['gzip', 'none'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export const TIME_FIELDS = ['stageTimestamp', 'requestReceivedTimestamp', 'arrival'] as const;
export type TimeField = (typeof TIME_FIELDS)[number];

export interface FileSinkConfig {
  readonly name: string;
  readonly type: 'file';
  readonly match: string;
  /** Path template: `${tag}` forms and strftime fields. */
  readonly path: string;
  /** Event time: the first of these that the event has. `arrival` is always the last. */
  readonly time: readonly TimeField[];
  /** IANA zone in which the path's time fields are written. */
  readonly timezone: string;
  readonly compress: Compression;
  readonly level: number;
  readonly mode: number;
  readonly dirMode: number;
  readonly maxOpenFiles: number;
  /** Distinct tags with a file of their own per time slot of the path; further ones share `_overflow`. */
  readonly maxTags: number;
  readonly graceMs: number;
  readonly retention: RetentionConfig;
}

export interface RetentionConfig {
  /** Undefined means off. */
  readonly maxAgeMs: number | undefined;
  readonly maxBytes: number | undefined;
  readonly minKeepMs: number;
}
