import { z } from 'zod';
import { absolutePath, choice, count, duration, flag, name, section, size, text } from './fields.ts';
import { auth } from './http-auth-schema.ts';
import { addedFields, headers, httpUrl, labels } from './http-fields.ts';
import { DEFAULTS, LIMITS } from './limits.ts';
import { HTTP_FORMATS, type HttpFormat, type HttpSinkConfig, OVERFLOWS, type TlsConfig } from './types.ts';

const VERSIONS = 'expected 1.2 or 1.3';

const tls = section({
  ca_file: absolutePath("PEM file of the authorities to trust, in place of the system's.").optional(),
  cert_file: absolutePath('PEM file of the client certificate, with its chain.').optional(),
  key_file: absolutePath("PEM file of the client certificate's private key.").optional(),
  server_name: text(
    'a host name',
    "Name that the receiver's certificate must have, where it is not the host of the URL.",
  ).optional(),
  min_version: z
    .union(
      [z.enum(['1.2', '1.3'], VERSIONS), z.literal([1.2, 1.3]).transform((value) => `${value}` as '1.2' | '1.3')],
      {
        error: VERSIONS,
      },
    )
    .prefault(DEFAULTS.tlsMinVersion)
    .meta({ title: '1.2, 1.3', description: 'Oldest version of TLS that is spoken.' }),
}).transform(
  (given): TlsConfig => ({
    caFile: given.ca_file,
    certFile: given.cert_file,
    keyFile: given.key_file,
    serverName: given.server_name,
    minVersion: given.min_version,
  }),
);

const batch = section({
  events: count('Events.', LIMITS.batchEvents).default(DEFAULTS.batchEvents),
  bytes: size('Bytes of their lines.', LIMITS.batchBytes).prefault(DEFAULTS.batchBytes),
  age: duration('Time since its first event.', LIMITS.batchAge).prefault(DEFAULTS.batchAge),
}).transform((given) => ({ events: given.events, bytes: given.bytes, ageMs: given.age }));

const retry = section({
  min: duration('Pause after the first failure.', LIMITS.retryMin).prefault(DEFAULTS.retryMin),
  max: duration(
    'Longest pause. Pauses grow, and each is drawn at random, so that agents do not return all at once.',
    LIMITS.retryMax,
  ).prefault(DEFAULTS.retryMax),
})
  .refine(({ min, max }) => min <= max, {
    path: ['max'],
    message: 'is shorter than min; make it longer',
    params: { complete: true },
  })
  .transform((given) => ({ minMs: given.min, maxMs: given.max }));

function overflow(what: string) {
  const description = `When it is full: block leaves further ${what} in the log, drop_oldest drops the oldest and counts it.`;
  return choice(description, OVERFLOWS).default(DEFAULTS.overflow);
}

const spool = section({
  after: duration('Events that were not taken for so long go to the spool.', LIMITS.spoolAfter).prefault(
    DEFAULTS.spoolAfter,
  ),
  max_bytes: size('Bytes on disk: when there are so many, no other batch is written.', LIMITS.spoolBytes).prefault(
    DEFAULTS.spoolBytes,
  ),
  overflow: overflow('events'),
}).transform((given) => ({ afterMs: given.after, maxBytes: given.max_bytes, overflow: given.overflow }));

const deadletter = section({
  max_bytes: size('Bytes on disk at most.', LIMITS.deadletterBytes).prefault(DEFAULTS.deadletterBytes),
  overflow: overflow('events'),
}).transform((given) => ({ maxBytes: given.max_bytes, overflow: given.overflow }));

/** A sink of `type: http`. Which keys go with which format is checked by `http-key-checks.ts`. */
export const httpSink = section({
  name: name('Names the sink in messages and in the state database.'),
  type: z.literal('http', 'expected http').meta({ title: 'http', description: 'An HTTP receiver.' }),
  match: text(
    'a tag pattern',
    'Tags that the sink takes: `*`, `**` and `{a,b}` as in fluentd; `!a.**` behind them leaves tags out.',
  ).default(DEFAULTS.match),
  url: httpUrl(
    'Where to send: an absolute http or https URL. Formats with a path of their own add it where the URL has none. Only its origin is ever shown.',
    { userInformation: false },
  ),
  format: choice('What is sent.', HTTP_FORMATS),
  headers: headers('Further headers of each request. Their values are never shown.').prefault({}),
  auth: auth.optional().describe('How the sink shows who it is: exactly one of these.'),
  tls: tls.prefault({}).describe('For https URLs. Files are read again when they change.'),
  proxy: httpUrl('URL of an HTTP proxy, also with user name and password.', { userInformation: true }).optional(),
  compress: choice('How bodies are compressed.', ['gzip', 'none'])
    .optional()
    .meta({ 'x-default': '`gzip`; `none` for event_list, as its receivers are made for the kube-apiserver' }),
  batch: batch.prefault({}).describe('A request is made as soon as one of these is reached.'),
  concurrency: count('Requests in flight.', LIMITS.concurrency).default(DEFAULTS.concurrency),
  timeout: duration('For one request, until the last byte of its answer.', LIMITS.timeout).prefault(DEFAULTS.timeout),
  retry: retry.prefault({}).describe('Pauses between attempts, of which there is no end.'),
  unparsed: choice(
    'Lines that are no events: wrap sends them as `{"message": …, "reason": …}`, skip only counts them.',
    ['wrap', 'skip'],
  ).default(DEFAULTS.unparsed),
  spool: spool.prefault({}).describe('Events kept on disk, below state_dir, while the receiver is away.'),
  deadletter: deadletter
    .prefault({})
    .describe('Events that the receiver will never take, kept with its reason: see `auditail deadletter`.'),
  add: addedFields(
    'Fields put into each event. Text may hold `${node}`, `${cluster}`, `${source}`, `${time}` and `${tag}` with its forms. A field that an event has already stays its own.',
  ).default({}),
  cluster: text(
    'a name',
    'Name of the Kubernetes cluster, for `${cluster}` and formats that have a place for it.',
  ).optional(),
  node: text(
    'a name',
    'Name of this host, for `${node}`, formats that have a place for it, and the ids of documents. In a container it is to be set: a new one has a new host name, and would send events under new ids.',
  )
    .optional()
    .meta({ 'x-default': 'the host name' }),
  index: text(
    'an index template',
    'elasticsearch, splunk_hec: index, with `${tag}` and its forms and the time fields `%Y %m %d %H`, in UTC.',
  )
    .optional()
    .meta({ 'x-default': `\`${DEFAULTS.index}\` for elasticsearch, the receiver's own for splunk_hec` }),
  data_stream: flag('elasticsearch: index is the name of a data stream.').default(false),
  labels: labels('loki: labels of the streams, as texts like those of add.')
    .optional()
    .meta({ 'x-default': `\`${JSON.stringify(DEFAULTS.labels)}\` for loki` }),
  sourcetype: text('a source type', 'splunk_hec: the source type.').default(DEFAULTS.sourcetype),
}).transform(
  (given): HttpSinkConfig => ({
    name: given.name,
    type: given.type,
    match: given.match,
    url: given.url,
    format: given.format,
    headers: given.headers,
    auth: given.auth,
    tls: given.tls,
    proxy: given.proxy,
    compress: given.compress ?? (given.format === 'event_list' ? 'none' : DEFAULTS.httpCompress),
    batch: given.batch,
    concurrency: given.concurrency,
    timeoutMs: given.timeout,
    retry: given.retry,
    unparsed: given.unparsed,
    spool: given.spool,
    deadletter: given.deadletter,
    add: given.add,
    cluster: given.cluster,
    node: given.node,
    index: given.index ?? defaultIndex(given.format, given.data_stream),
    dataStream: given.data_stream,
    labels: given.labels ?? (given.format === 'loki' ? DEFAULTS.labels : {}),
    sourcetype: given.sourcetype,
  }),
);

/** A data stream has no name that could be guessed. */
function defaultIndex(format: HttpFormat, dataStream: boolean): string | undefined {
  return format === 'elasticsearch' && !dataStream ? DEFAULTS.index : undefined;
}
