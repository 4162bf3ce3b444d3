import { LIMITS } from '../../../config/limits.ts';
import { asCount, asDuration, asSize, type OutputScope } from '../../output-scope.ts';
import type { Param, Section } from '../../section.ts';
import { applySettings, each, type Fate, type SectionSettings, type Settings } from '../../settings.ts';
import { fluentdSize, truth } from '../../values.ts';

/** Half of what a single sink has of the default memory_limit, so that several sinks fit into it. */
const BATCH_BYTES = { min: LIMITS.batchBytes.min, max: 8 * 1024 ** 2 };

const LOG_IS_BUFFER = { note: 'a file sink needs no buffer: what is not committed is read from the log again' };
const SPOOL_IS_BUFFER = { note: 'what waits is in the spool, below state_dir' };
const ENDLESS = { note: 'retries have no end here, and nothing is dropped after some of them' };
const SCHEDULE = { note: 'a batch is sent as soon as it is full or old enough' };

const FLUSHING = [
  'flush_at_shutdown',
  'flush_mode',
  'flush_thread_interval',
  'flush_thread_burst_interval',
  'delayed_commit_timeout',
  'flush_thread_count',
  'num_threads',
  'queued_chunks_limit_size',
  'try_flush_interval',
  'queued_chunk_flush_interval',
  'disable_chunk_backup',
  'compress',
  'timekey',
  'timekey_wait',
  'timekey_use_utc',
  'timekey_zone',
  'queue_limit_length',
  'buffer_queue_limit',
  'chunk_full_threshold',
  'flush_interval',
  'chunk_limit_size',
  'buffer_chunk_limit',
  'chunk_limit_records',
  'total_limit_size',
  'overflow_action',
  'buffer_queue_full_action',
  'buffer_type',
  'buffer_path',
];
const RETRYING = [
  'retry_wait',
  'retry_max_interval',
  'max_retry_wait',
  'retry_type',
  'retry_randomize',
  'retry_exponential_backoff_base',
  'retry_forever',
  'retry_timeout',
  'retry_max_times',
  'retry_limit',
  'disable_retry_limit',
  'retry_secondary_threshold',
];

/** Parameters that stand in a `<buffer>`, or in v0.12's syntax in the output itself, of a sink that sends. */
export function sendingBuffer(scope: OutputScope): Settings {
  const { keys } = scope;
  const concurrency = asCount(scope, 'concurrency', LIMITS.concurrency);
  const bytes = asSize(scope, 'batch.bytes', BATCH_BYTES, fluentdSize);
  const overflow = ({ value, place }: Param) => {
    if (value === 'drop_oldest_chunk') keys.set('spool.overflow', 'drop_oldest', place);
    else if (value !== 'block') return { note: 'what does not fit waits in the log' };
    return undefined;
  };
  return {
    ...each(FLUSHING, SCHEDULE),
    ...each(RETRYING, { note: 'pauses grow up to retry.max, and each is drawn at random' }),
    ...each(
      [
        'retry_forever',
        'retry_timeout',
        'retry_max_times',
        'retry_limit',
        'disable_retry_limit',
        'retry_secondary_threshold',
      ],
      ENDLESS,
    ),
    ...each(
      ['buffer_type', 'buffer_path', 'path', 'queue_limit_length', 'buffer_queue_limit', 'timekey', 'timekey_wait'],
      SPOOL_IS_BUFFER,
    ),
    flush_interval: asDuration(scope, 'batch.age', LIMITS.batchAge),
    chunk_limit_size: bytes,
    buffer_chunk_limit: bytes,
    chunk_limit_records: asCount(scope, 'batch.events', LIMITS.batchEvents),
    flush_thread_count: concurrency,
    num_threads: concurrency,
    retry_wait: asDuration(scope, 'retry.min', LIMITS.retryMin),
    retry_max_interval: asDuration(scope, 'retry.max', LIMITS.retryMax),
    max_retry_wait: asDuration(scope, 'retry.max', LIMITS.retryMax),
    total_limit_size: asSize(scope, 'spool.max_bytes', LIMITS.spoolBytes, fluentdSize),
    overflow_action: overflow,
    buffer_queue_full_action: overflow,
    compress: { note: "bodies are compressed by the sink's compress" },
  };
}

/** The same of a file sink. */
export function archivingBuffer(scope: OutputScope): Settings {
  const { keys, context } = scope;
  const grace = asDuration(scope, 'grace', LIMITS.grace);
  const utc = ({ value, place }: Param): Fate => {
    keys.set('timezone', truth(value) === true ? 'UTC' : context.timeZone, place);
    return undefined;
  };
  const zone = ({ value, place }: Param) => {
    const name = zoneName(value);
    if (name === undefined) return { warn: 'only whole hours and names such as Europe/Berlin are known here' };
    keys.set('timezone', name, place);
    return undefined;
  };
  return {
    ...each([...FLUSHING, ...RETRYING, 'path'], LOG_IS_BUFFER),
    timekey: { note: 'the time fields of the path say how long a file is written to' },
    timekey_wait: grace,
    time_slice_wait: grace,
    timekey_use_utc: utc,
    utc,
    localtime: ({ value, place }) =>
      void keys.set('timezone', truth(value) === false ? 'UTC' : context.timeZone, place),
    timekey_zone: zone,
    timezone: zone,
  };
}

/** The sections that outputs have besides their own. */
export function bufferSections(scope: OutputScope, settings: Settings): SectionSettings {
  const { findings } = scope.context;
  return {
    buffer: (buffer: Section) => {
      const others = buffer.arg.split(/[\s,]+/).filter((key) => !['', 'tag', 'time', '[]'].includes(key));
      if (others.length > 0)
        findings.warn(buffer, `<buffer ${buffer.arg}>: files and requests are divided by tag and time only`);
      const own = { ...COMMON_OF_BUFFER, ...settings };
      applySettings(buffer, '<buffer>', own, {}, findings);
    },
    secondary: { note: 'what a receiver will never take becomes a dead letter; see auditail deadletter' },
    inject: { warn: 'no time, tag or host is put into lines; HTTP sinks have add for that' },
  };
}

const COMMON_OF_BUFFER: Settings = {
  ...each(['@type', 'type', '@id', '@log_level', 'file_permission', 'dir_permission'], {
    note: 'there are no buffer files',
  }),
};

/** Etc/GMT-9 is nine hours ahead: the sign of these names is that of POSIX. */
function zoneName(value: string): string | undefined {
  const offset = /^([+-])(\d\d):?(\d\d)$/.exec(value);
  if (offset === null) return /^[A-Z][A-Za-z]+(?:\/[A-Za-z_+-]+\d*)*$/.test(value) ? value : undefined;
  const hours = Number(offset[2]);
  if (offset[3] !== '00' || hours > 12) return undefined;
  return hours === 0 ? 'UTC' : `Etc/GMT${offset[1] === '+' ? '-' : '+'}${hours}`;
}
