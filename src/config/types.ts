import type { LogFormat, LogLevel } from '../telemetry/logger.ts';
import type { ListenAddress } from './listen-address.ts';

/** The checked configuration: defaults filled in, units converted (bytes, milliseconds), frozen. */
export interface Config {
  readonly stateDir: string;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Undefined: there is no listener. */
  readonly admin: { readonly listen?: ListenAddress | undefined };
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

/** `cri` and `docker`: the log of a container, each of whose lines stands in a wrapper. */
export const SOURCE_FORMATS = ['json', 'cri', 'docker'] as const;
export type SourceFormat = (typeof SOURCE_FORMATS)[number];

export const SOURCE_STREAMS = ['stdout', 'stderr', 'all'] as const;
export type SourceStream = (typeof SOURCE_STREAMS)[number];

export interface SourceConfig {
  readonly name: string;
  readonly tag: string;
  /** A live file, a directory, or a glob. */
  readonly path: string;
  /** Globs; one without a slash is matched against the base name, others against the whole path. */
  readonly exclude: readonly string[];
  readonly format: SourceFormat;
  /** Of a container's log: the streams that are read. Undefined with the format json, which has none. */
  readonly stream: SourceStream | undefined;
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

export type SinkConfig = FileSinkConfig | HttpSinkConfig;

export const COMPRESSIONS = ['gzip', 'zstd', 'none'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** What names of files end in, by how the files are compressed. */
export const ENDINGS: Readonly<Record<Compression, string>> = { gzip: '.gz', zstd: '.zst', none: '' };

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
  /** 0 where nothing is compressed. */
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

export const HTTP_FORMATS = [
  'ndjson',
  'json_array',
  'elasticsearch',
  'loki',
  'splunk_hec',
  'otlp',
  'event_list',
] as const;
export type HttpFormat = (typeof HTTP_FORMATS)[number];

/** `block`: what comes waits in the log. `drop_oldest`: the oldest makes room, and is counted. */
export const OVERFLOWS = ['block', 'drop_oldest'] as const;
export type Overflow = (typeof OVERFLOWS)[number];

export interface HttpSinkConfig {
  readonly name: string;
  readonly type: 'http';
  readonly match: string;
  /** Absolute http or https URL without user information. It may hold secrets: only its origin is ever shown. */
  readonly url: Secret;
  readonly format: HttpFormat;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly auth: AuthConfig | undefined;
  readonly tls: TlsConfig;
  /** URL of an HTTP proxy. */
  readonly proxy: Secret | undefined;
  readonly compress: 'gzip' | 'none';
  readonly batch: { readonly events: number; readonly bytes: number; readonly ageMs: number };
  /** Requests in flight. */
  readonly concurrency: number;
  /** For one request, from its start to the last byte of its answer. */
  readonly timeoutMs: number;
  readonly retry: { readonly minMs: number; readonly maxMs: number };
  /** Lines that are no events: `wrap` sends `{"message": …, "reason": …}`, `skip` counts them. */
  readonly unparsed: 'wrap' | 'skip';
  readonly spool: { readonly afterMs: number; readonly maxBytes: number; readonly overflow: Overflow };
  readonly deadletter: { readonly maxBytes: number; readonly overflow: Overflow };
  /** Fields put into each event: values are templates of text (`${node}`, `${cluster}`, `${tag}`, `${source}`, `${time}`), numbers or booleans. */
  readonly add: Readonly<Record<string, string | number | boolean>>;
  /** Name of the Kubernetes cluster, for `${cluster}` and for formats that have a place for it. */
  readonly cluster: string | undefined;
  /** Name of this host, for `${node}` and for the ids of documents; undefined: the machine's host name. */
  readonly node: string | undefined;
  /** elasticsearch, splunk_hec: index template with `${tag}` forms and UTC time fields; undefined: the receiver's own. */
  readonly index: string | undefined;
  /** elasticsearch: `index` names a data stream. */
  readonly dataStream: boolean;
  /** loki: label name to template. */
  readonly labels: Readonly<Record<string, string>>;
  /** splunk_hec. */
  readonly sourcetype: string;
}

/** Text that no output shows: JSON, logs and errors get `[secret]`. */
export interface Secret {
  /** The text; of a file its content without the last line end, read again when the file changes. @throws AuditailError `SECRET_FILE` */
  reveal(): string;
}

export type AuthConfig =
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'bearer'; readonly token: Secret }
  | { readonly kind: 'header'; readonly name: string; readonly value: Secret };

export interface TlsConfig {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Name that the certificate must have, and that SNI sends; undefined: the URL's host. */
  readonly serverName: string | undefined;
  readonly minVersion: '1.2' | '1.3';
}
