import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';
import { inspect } from 'node:util';
import zlib from 'node:zlib';
import { pino } from 'pino';
import type { HttpSinkConfig, Secret } from '../../../src/config/types.ts';
import { AuditailError } from '../../../src/errors.ts';
import type { DeadLetter, DeadLetterBox } from '../../../src/sink/http/dead-letter.ts';
import type { Format } from '../../../src/sink/http/format.ts';
import type { HttpEvent } from '../../../src/sink/http/http-event.ts';
import { HttpTransport } from '../../../src/sink/http/http-transport.ts';
import { TransportError } from '../../../src/sink/http/transport.ts';
import { DELIVERED, type Verdict } from '../../../src/sink/http/verdict.ts';
import { HttpOccurrences } from '../../../src/telemetry/http-occurrences.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';

export const NEVER: AbortSignal = new AbortController().signal;

export function secret(text: string): Secret {
  return { reveal: () => text };
}

export function sinkConfig(overrides: Partial<HttpSinkConfig> = {}): HttpSinkConfig {
  return {
    name: 'receiver',
    type: 'http',
    match: '**',
    url: secret('http://127.0.0.1/'),
    format: 'ndjson',
    headers: {},
    auth: undefined,
    tls: tlsConfig(),
    proxy: undefined,
    compress: 'none',
    batch: { events: 2000, bytes: 4 << 20, ageMs: 1000 },
    concurrency: 2,
    timeoutMs: 5000,
    retry: { minMs: 500, maxMs: 60_000 },
    unparsed: 'wrap',
    spool: { afterMs: 2000, maxBytes: 1 << 30, overflow: 'block' },
    deadletter: { maxBytes: 1 << 28, overflow: 'block' },
    add: {},
    cluster: undefined,
    node: undefined,
    index: undefined,
    dataStream: false,
    labels: {},
    sourcetype: 'kube:audit',
    ...overrides,
  };
}

export function tlsConfig(overrides: Partial<HttpSinkConfig['tls']> = {}): HttpSinkConfig['tls'] {
  return {
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
    serverName: undefined,
    minVersion: '1.2',
    ...overrides,
  };
}

export function event(i: number | string): HttpEvent {
  const line = Buffer.from(JSON.stringify({ n: i }));
  return { tag: 'audit.t', time: 0, line, source: 'apiserver', path: '/log', offset: 0 };
}

export function events(count: number): HttpEvent[] {
  return Array.from({ length: count }, (_none, i) => event(i));
}

/** What stands in a body: one JSON object a line. */
export function linesOf(body: string | Buffer): string[] {
  return body.toString().split('\n').filter(Boolean);
}

/** Newline JSON, judged by the status of the answer. */
export const lineFormat: Format = {
  contentType: 'application/x-ndjson',
  endpoint: (url) => url,
  encode: (list) => Buffer.concat(list.flatMap(({ line }) => [line, Buffer.from('\n')])),
  judge: (response, list) => {
    const verdict = judgeLine(response.status, response.headers['retry-after'], response.complete);
    return list.map(() => verdict);
  },
};

function judgeLine(status: number, retryAfter: string | undefined, complete: boolean): Verdict {
  const reason = `status ${status}`;
  if (status < 300) return complete ? DELIVERED : { kind: 'retry', reason: 'cut off' };
  if (status === 400 || status === 413) return { kind: 'split', reason };
  if (status < 400 || [401, 403, 404].includes(status)) return { kind: 'blocked', reason };
  if (![408, 429].includes(status) && status < 500) return { kind: 'rejected', reason };
  if (retryAfter === undefined) return { kind: 'retry', reason };
  const seconds = Number(retryAfter);
  const retryAfterMs = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  return { kind: 'retry', reason, retryAfterMs };
}

/** One request as a server got it, inflated. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Handler = (received: Received, response: http.ServerResponse) => void;

/** Listens on a free port until the test is over, whatever connections are left. Gives the port. */
export async function listen(t: TestContext, server: Server, port = 0): Promise<number> {
  const sockets = new Set<{ destroy(): void; once(event: 'close', then: () => void): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export interface TestServer {
  readonly server: http.Server;
  readonly port: number;
  readonly origin: string;
  /** In the order in which they were read to their end. */
  readonly received: Received[];
  connections: number;
}

export async function startServer(
  t: TestContext,
  handler: Handler,
  tls?: https.ServerOptions & { readonly port?: number },
): Promise<TestServer> {
  const received: Received[] = [];
  const onRequest: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(raw) : raw;
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      received.push(one);
      handler(one, response);
    });
  };
  const server = tls === undefined ? http.createServer(onRequest) : https.createServer(tls, onRequest);
  server.on('tlsClientError', () => {});
  const port = await listen(t, server, tls?.port);
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const started: TestServer = { server, port, origin, received, connections: 0 };
  server.on('connection', () => {
    started.connections += 1;
  });
  return started;
}

/** A transport that is closed when the test is over. */
export function transportTo(
  t: TestContext,
  url: string,
  overrides: Partial<HttpSinkConfig> = {},
  options: { readonly now?: () => number; readonly occurrences?: HttpOccurrences } = {},
): HttpTransport {
  const config = sinkConfig({ ...overrides, url: secret(url) });
  const endpoint = new URL(url);
  const transport = new HttpTransport(config, { endpoint, contentType: 'text/plain', now: Date.now, ...options });
  t.after(() => transport.close());
  return transport;
}

/** The TransportError of a request that must fail. */
export async function failureOf(transport: HttpTransport, body = 'x'): Promise<TransportError> {
  const outcome = await transport.send(Buffer.from(body), NEVER).catch((error: unknown) => error);
  if (outcome instanceof TransportError) return outcome;
  throw new Error(`no TransportError but ${inspect(outcome)}`);
}

export class FakeBox implements DeadLetterBox {
  readonly letters: DeadLetter[] = [];
  isFull = false;

  add(letters: readonly DeadLetter[]): void {
    if (this.isFull) throw new AuditailError('DEADLETTER_FULL', 'the dead letters are full');
    this.letters.push(...letters);
  }
}

/** Occurrences, with what they log and count. */
export function recorder(): {
  occurrences: HttpOccurrences;
  logs: Record<string, unknown>[];
  /** The value of a metric, over all of its labels. */
  metric(name: string): Promise<number>;
  /** The values of a metric, by its label `reason`. */
  reasons(name: string): Promise<Record<string, number>>;
  requestSeconds(): Promise<{ sum: number; count: number }>;
} {
  const logs: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'debug', base: null, messageKey: 'message' },
    { write: (line: string) => logs.push(JSON.parse(line)) },
  );
  const telemetry = new Telemetry(log);
  return {
    occurrences: new HttpOccurrences(telemetry, 'receiver'),
    logs,
    metric: async (name) => {
      const metric = telemetry.registry.getSingleMetric(`auditail_${name}`);
      const values = (await metric?.get())?.values ?? [];
      return values.reduce((sum, { value }) => sum + value, 0);
    },
    requestSeconds: async () => {
      const values = (await telemetry.registry.getSingleMetric('auditail_http_request_seconds')?.get())?.values ?? [];
      const of = (what: string) =>
        values.find((one) => 'metricName' in one && one.metricName === `auditail_http_request_seconds_${what}`)?.value;
      return { sum: of('sum') ?? 0, count: of('count') ?? 0 };
    },
    reasons: async (name) => {
      const metric = telemetry.registry.getSingleMetric(`auditail_${name}`);
      const values = (await metric?.get())?.values ?? [];
      return Object.fromEntries(values.map(({ labels, value }) => [String(labels.reason), value]));
    },
  };
}
