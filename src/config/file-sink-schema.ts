import { z } from 'zod';
import { absolutePath, choice, count, duration, list, name, octalMode, orOff, section, size, text } from './fields.ts';
import { DEFAULTS, LIMITS } from './limits.ts';
import {
  COMPRESSIONS,
  ENDINGS,
  type FileSinkConfig,
  type RetentionConfig,
  TIME_FIELDS,
  type TimeField,
} from './types.ts';

const OWNER_READ_WRITE = 0o600;
const OWNER_ALL = 0o700;

const timeField = choice('A field of the event that holds its time, or the time of reading.', TIME_FIELDS);

const time = z
  .union([timeField.transform((field) => [field]), list(timeField, '', { min: 1 })], {
    error: `expected one or a list of ${TIME_FIELDS.join(', ')}`,
  })
  .refine((fields) => new Set(fields).size === fields.length, 'expected each time field once')
  .refine(
    (fields) => !fields.slice(0, -1).includes('arrival'),
    'expected arrival as the last time field, since every event has it',
  )
  .transform((fields): readonly TimeField[] => (fields.includes('arrival') ? fields : [...fields, 'arrival']))
  .meta({
    title: 'one or a list of stageTimestamp, requestReceivedTimestamp, arrival',
    description: 'Time of an event that names its file: the first of these that it has, and in the end its arrival.',
  });

const retention = section({
  max_age: orOff(duration('', LIMITS.maxAge), 'Delete a file so long after its last commit.').prefault('off'),
  max_bytes: orOff(size('', LIMITS.maxBytes), 'Delete the oldest files when all together are larger.').prefault('off'),
  min_keep: duration('Nothing younger is deleted, whatever else is said.', LIMITS.minKeep).prefault(DEFAULTS.minKeep),
}).transform(
  (given): RetentionConfig => ({
    maxAgeMs: given.max_age,
    maxBytes: given.max_bytes,
    minKeepMs: given.min_keep,
  }),
);

/** A sink of `type: file`. */
export const fileSink = section({
  name: name('Names the sink in messages and in the state database.'),
  type: z.literal('file', 'expected file').meta({ title: 'file', description: 'A file archive.' }),
  match: text(
    'a tag pattern',
    'Tags that the sink takes: `*`, `**` and `{a,b}` as in fluentd; `!a.**` behind them leaves tags out.',
  ).default(DEFAULTS.match),
  path: absolutePath(
    'File name template: `${tag}`, `${tag[n]}`, `${tag[n..m]}`, and the time fields `%Y %m %d %H %M %S %j %y` (`%%` for a percent sign).',
  )
    .optional()
    .meta({ 'x-default': `\`${DEFAULTS.archivePath}.gz\`; ends in .zst for zstd, in .log for none` }),
  time: time.prefault([...DEFAULTS.time]),
  timezone: text('an IANA time zone', 'Zone of the time fields, such as `UTC` or `Europe/Berlin`.').default(
    DEFAULTS.timezone,
  ),
  compress: choice(
    'How files are compressed. What `zstd` writes, zstdcat reads at every commit.',
    COMPRESSIONS,
  ).default(DEFAULTS.compress),
  level: count(`Of compression; for gzip up to ${LIMITS.gzipLevel.max}.`, LIMITS.zstdLevel)
    .optional()
    .meta({ 'x-default': `\`${DEFAULTS.levels.gzip}\` for gzip, \`${DEFAULTS.levels.zstd}\` for zstd` }),
  mode: octalMode('Permissions of new files, in quotes.', OWNER_READ_WRITE).prefault(DEFAULTS.mode),
  dir_mode: octalMode('Permissions of new directories, in quotes.', OWNER_ALL).prefault(DEFAULTS.dirMode),
  max_open_files: count('Files that are open at once.', LIMITS.maxOpenFiles).default(DEFAULTS.maxOpenFiles),
  max_tags: count(
    'Distinct tags with a file of their own in one time slot; further ones share the file of the tag `_overflow`.',
    LIMITS.maxTags,
  ).default(DEFAULTS.maxTags),
  grace: duration(
    'Time after the end of an hour in which its files still wait for late events.',
    LIMITS.grace,
  ).prefault(DEFAULTS.grace),
  retention: retention.prefault({}).describe('Which files are deleted. Deleting evidence is a choice: it is off.'),
}).transform(
  (given): FileSinkConfig => ({
    name: given.name,
    type: given.type,
    match: given.match,
    path: given.path ?? `${DEFAULTS.archivePath}${ENDINGS[given.compress]}`,
    time: given.time,
    timezone: given.timezone,
    compress: given.compress,
    level: given.compress === 'none' ? DEFAULTS.levels.none : (given.level ?? DEFAULTS.levels[given.compress]),
    mode: given.mode,
    dirMode: given.dir_mode,
    maxOpenFiles: given.max_open_files,
    maxTags: given.max_tags,
    graceMs: given.grace,
    retention: given.retention,
  }),
);
