import type { z } from 'zod';
import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/logger.ts';
import {
  absolutePath,
  choice,
  count,
  duration,
  flag,
  list,
  listenAddress,
  name,
  section,
  size,
  sourceTag,
  text,
} from './fields.ts';
import { DEFAULTS, LIMITS } from './limits.ts';
import { sinkSchema } from './sink-schema.ts';
import {
  type CommitConfig,
  DURABILITIES,
  type RewriteRule,
  SANITIZERS,
  SOURCE_FORMATS,
  SOURCE_STREAMS,
  type SourceConfig,
} from './types.ts';

const log = section({
  level: choice('Least severe level that is logged.', LOG_LEVELS).default(DEFAULTS.logLevel),
  format: choice('json for machines, text for people. The log goes to stderr.', LOG_FORMATS).default(
    DEFAULTS.logFormat,
  ),
});

const admin = section({
  listen: listenAddress(
    'Where `/metrics`, `/status`, `/healthz` and `/readyz` are answered. They only answer: nothing can be changed there, and whoever can connect can read.',
  ).prefault(DEFAULTS.adminListen),
});

const commit = section({
  interval: duration('Longest time between two commits while events arrive.', LIMITS.commitInterval).prefault(
    DEFAULTS.commitInterval,
  ),
  bytes: size('A commit begins after so much was read, whatever the time.', LIMITS.commitBytes).prefault(
    DEFAULTS.commitBytes,
  ),
  durability: choice(
    'disk survives a power loss (fdatasync of each file); process survives kill -9 only, with less disk traffic.',
    DURABILITIES,
  ).default(DEFAULTS.durability),
}).transform(
  (given): CommitConfig => ({ intervalMs: given.interval, bytes: given.bytes, durability: given.durability }),
);

const source = section({
  name: name(
    'Names the source in messages and in the state database. Under another name its logs are read from the beginning once more.',
  ).default(DEFAULTS.sourceName),
  tag: sourceTag('Tag that events of this source start with.').default(DEFAULTS.sourceTag),
  path: absolutePath(
    'A live file, a directory (each live file in it is a stream), or a glob. Rotated parts are found beside the live file.',
  ).prefault(DEFAULTS.sourcePath),
  exclude: list(
    text('a glob', 'Glob; without a slash it is matched against the base name, else against the whole path.'),
    'Files that a directory or a glob holds and that are not to be read.',
    { min: 0 },
  ).prefault([]),
  format: choice(
    "json: one audit event a line. cri (containerd, CRI-O) and docker (json-file): a container's log, where the apiserver runs with `--audit-log-path=-`; the wrapper of each line is taken off, and the parts of a long line are joined.",
    SOURCE_FORMATS,
  ).default(DEFAULTS.sourceFormat),
  stream: choice(
    "Streams of a container's log that are read; the lines of the other one are passed over.",
    SOURCE_STREAMS,
  )
    .optional()
    .meta({ 'x-default': `${DEFAULTS.sourceStream} with cri and docker` }),
  read_from: choice(
    'Where a stream starts that existed before the first start: head (rotated parts included) or tail. Later ones start at the head.',
    ['head', 'tail'],
  ).default(DEFAULTS.readFrom),
  max_line_bytes: size(
    "A longer line goes through in pieces, into the file of the tag `<tag>._oversize`. Of a container's log all parts of a line count, with their wrappers.",
    LIMITS.maxLineBytes,
  ).prefault(DEFAULTS.maxLineBytes),
  refresh_interval: duration('Time between two sweeps of the source.', LIMITS.refreshInterval).prefault(
    DEFAULTS.refreshInterval,
  ),
  rotate_wait: duration('How long a rotated segment stays still before it is finished.', LIMITS.rotateWait).prefault(
    DEFAULTS.rotateWait,
  ),
  held_bytes: size('Deleted but unread bytes that are held open at most.', LIMITS.heldBytes).prefault(
    DEFAULTS.heldBytes,
  ),
}).transform(
  (given): SourceConfig => ({
    name: given.name,
    tag: given.tag,
    path: given.path,
    exclude: given.exclude,
    format: given.format,
    stream: given.stream ?? (given.format === 'json' ? undefined : DEFAULTS.sourceStream),
    readFrom: given.read_from,
    maxLineBytes: given.max_line_bytes,
    refreshIntervalMs: given.refresh_interval,
    rotateWaitMs: given.rotate_wait,
    heldBytes: given.held_bytes,
  }),
);

const rewriteRule = section({
  match: text('a tag pattern', 'Source tags that this rule is tried on: `*`, `**` and `{a,b}` as in fluentd.').default(
    DEFAULTS.match,
  ),
  key: text('a field path', "Field whose value is matched: `objectRef.namespace`, or `$['annotations']['a.b/c']`."),
  pattern: text(
    'a regular expression',
    'JavaScript regular expression, tried on the first 1024 characters of the value.',
  ),
  tag: text('a tag template', 'The new tag: `${tag}`, `${tag[n]}`, `${tag[n..m]}`, and `$1` to `$9` for captures.'),
  invert: flag('Take the rule when the pattern does not match; its tag then has no captures.').default(false),
  sanitize: choice(
    'dns1123: a captured value that is no DNS-1123 label becomes `_invalid`. Without it a value is percent-encoded.',
    SANITIZERS,
  ).optional(),
}).transform((given): RewriteRule => ({ ...given, sanitize: given.sanitize }));

/**
 * Every key that a configuration may have, with its default, its limits and its meaning; the one source of the checked
 * types, of `config/auditail.schema.json` and of `docs/configuration.md`. Text with a grammar of its own (patterns,
 * templates, zones) is checked by `syntax-checks.ts`, what concerns several keys by `cross-checks.ts`.
 */
export const CONFIG_SCHEMA = section({
  state_dir: absolutePath('Directory of the SQLite state, the lock, and tails cut off after a crash.').prefault(
    DEFAULTS.stateDir,
  ),
  log: log.prefault({}).describe('The log of the agent itself.'),
  admin: admin.prefault({}).describe('The listener for metrics, probes and `auditail status`.'),
  memory_limit: size(
    'Bytes of events in flight, over all sinks; at least twice the largest max_line_bytes.',
    LIMITS.memoryLimit,
  ).prefault(DEFAULTS.memoryLimit),
  threads: count('Compression threads.', LIMITS.threads).optional().meta({ 'x-default': 'half the cores, at least 1' }),
  commit: commit
    .prefault({})
    .describe(
      'When positions and archive files become durable together; also at shutdown and after each rotated segment.',
    ),
  shutdown_timeout: duration(
    'Time for a clean end; after it the agent exits, and nothing is lost.',
    LIMITS.shutdownTimeout,
  ).prefault(DEFAULTS.shutdownTimeout),
  sources: list(source, 'The logs that are read.', { min: 1 }).prefault([{}]),
  rewrite: list(rewriteRule, 'Rules that change a tag by a field of the event. The first that matches wins.', {
    min: 0,
  }).prefault([...DEFAULTS.rewrite]),
  rewrite_missing: text('a tag template', 'The tag when no rule matched; `${tag}` leaves the tag alone.').default(
    DEFAULTS.rewriteMissing,
  ),
  sinks: list(sinkSchema, 'Where events go. Every sink that matches gets the event.', { min: 1 }).prefault([
    ...DEFAULTS.sinks,
  ]),
});

/** What the schema gives: units converted and defaults filled in, except for what depends on the machine. */
export type SchemaOutput = z.output<typeof CONFIG_SCHEMA>;
