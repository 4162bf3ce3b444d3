import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS, TIB } from './units.ts';

/**
 * What the configuration is when it does not say; written as an operator would write it, because editors and the
 * reference show these very texts.
 */
export const DEFAULTS = {
  stateDir: '/var/lib/auditail',
  logLevel: 'info',
  logFormat: 'json',
  /** The loopback only: an audit log's file names and times are not for the network unless somebody says so. */
  adminListen: '127.0.0.1:9477',
  memoryLimit: '64MiB',
  commitInterval: '5s',
  commitBytes: '64MiB',
  durability: 'disk',
  shutdownTimeout: '10s',
  sourceName: 'apiserver',
  sourceTag: 'audit',
  sourcePath: '/var/log/kubernetes/audit',
  sourceFormat: 'json',
  sourceStream: 'stdout',
  readFrom: 'head',
  maxLineBytes: '16MiB',
  refreshInterval: '5s',
  rotateWait: '5s',
  heldBytes: '10GiB',
  rewrite: [{ key: 'objectRef.namespace', pattern: '^(.+)$', tag: '${tag}.$1', sanitize: 'dns1123' }],
  rewriteMissing: '${tag}._none',
  match: '**',
  sinks: [{ name: 'archive', type: 'file' }],
  archivePath: '/var/log/auditail/audit-${tag[1..]}.%Y%m%d%H.log',
  time: ['stageTimestamp', 'requestReceivedTimestamp', 'arrival'],
  timezone: 'UTC',
  compress: 'gzip',
  levels: { gzip: 6, zstd: 1, none: 0 },
  mode: '0640',
  dirMode: '0750',
  maxOpenFiles: 256,
  maxTags: 4096,
  grace: '5m',
  minKeep: '24h',
  httpCompress: 'gzip',
  batchEvents: 2000,
  batchBytes: '4MiB',
  batchAge: '1s',
  concurrency: 2,
  timeout: '30s',
  retryMin: '500ms',
  retryMax: '60s',
  unparsed: 'wrap',
  spoolAfter: '2s',
  spoolBytes: '1GiB',
  deadletterBytes: '256MiB',
  overflow: 'block',
  tlsMinVersion: '1.2',
  /** Without the tag: anybody can make up namespaces, and an index for each would use up a cluster's shards. */
  index: 'audit-%Y.%m.%d',
  /** Few streams, for the same reason; Loki takes no stream without a label. */
  labels: { job: 'auditail', node: '${node}' },
  /** The one that Splunk's own collector gives the kube-apiserver's audit log. */
  sourcetype: 'kube:apiserver-audit',
} as const;

/** The default number of compression threads: half of what there is, because etcd runs on the same host. */
export function defaultThreads(cores: number): number {
  return Math.max(1, Math.floor(cores / 2));
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

/** What a value may be, in bytes, milliseconds or pieces. The upper ends only catch slips such as a wrong unit. */
export const LIMITS = {
  /** Less would be used up by the open blocks of a few busy files. */
  memoryLimit: { min: 8 * MIB, max: TIB },
  threads: { min: 1, max: 256 },
  commitInterval: { min: 10, max: HOUR_MS },
  commitBytes: { min: 4 * KIB, max: 16 * GIB },
  shutdownTimeout: { min: 100, max: HOUR_MS },
  /** A line of this length is held whole; longer ones are streamed, whatever their length. */
  maxLineBytes: { min: KIB, max: 256 * MIB },
  refreshInterval: { min: 10, max: HOUR_MS },
  rotateWait: { min: 0, max: HOUR_MS },
  heldBytes: { min: 4 * KIB, max: 64 * TIB },
  gzipLevel: { min: 1, max: 9 },
  /** Those above only gain with more content at a time than a block has. */
  zstdLevel: { min: 1, max: 19 },
  maxOpenFiles: { min: 1, max: 65_536 },
  maxTags: { min: 1, max: 1_000_000 },
  grace: { min: 0, max: 7 * DAY_MS },
  maxAge: { min: MINUTE_MS, max: 36_500 * DAY_MS },
  maxBytes: { min: MIB, max: 1024 * TIB },
  minKeep: { min: 0, max: 36_500 * DAY_MS },
  batchEvents: { min: 1, max: 100_000 },
  batchBytes: { min: KIB, max: 256 * MIB },
  batchAge: { min: 1, max: HOUR_MS },
  concurrency: { min: 1, max: 64 },
  timeout: { min: 100, max: HOUR_MS },
  retryMin: { min: 10, max: HOUR_MS },
  retryMax: { min: 10, max: DAY_MS },
  spoolAfter: { min: 0, max: DAY_MS },
  spoolBytes: { min: MIB, max: 64 * TIB },
  deadletterBytes: { min: MIB, max: 64 * TIB },
} as const satisfies Record<string, Limits>;

/** Lines of the longest length that must fit into memory_limit: one is written while the next is read. */
export const LINES_IN_MEMORY = 2;

/** Entries of `sources`, `sinks`, `rewrite` or an exclude list. */
export const MAX_ENTRIES = 256;

/** Characters of a name, a tag, a path or a pattern. */
export const MAX_NAME_LENGTH = 63;
export const MAX_TEXT_LENGTH = 4096;

/** Characters of a password, a token or a header's value; tokens that list permissions are long. */
export const MAX_SECRET_LENGTH = 16_384;

/** Fields, headers or labels of one sink. */
export const MAX_FIELDS = 64;

/** Bytes of a configuration file; a larger one is a log given by mistake. */
export const MAX_CONFIG_BYTES = MIB;
