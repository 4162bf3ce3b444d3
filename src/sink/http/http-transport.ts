import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Dispatcher, Pool } from 'undici';
import type { HttpSinkConfig } from '../../config/types.ts';
import { AuditailError, describeError } from '../../errors.ts';
import type { HttpOccurrences } from '../../telemetry/http-occurrences.ts';
import { requestError } from './connection-error.ts';
import { createConnector } from './connector.ts';
import { type HttpProxy, parseProxy, proxyRefusal } from './http-proxy.ts';
import { requestHeaders, reveal } from './request-headers.ts';
import { TlsFiles, type TlsMaterial } from './tls-files.ts';
import { type HttpResponse, type Transport, TransportError } from './transport.ts';
import { wantsTls } from './wants-tls.ts';

/**
 * Most bytes of an answer that are read, outside `memory_limit`: a bulk answer of Elasticsearch has some hundred for each
 * event. A request whose answer is longer is sent in halves.
 */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** For request bodies. On 2000 made-up audit events (3 MB) it is half the time of level 6, at a ratio of 7.5 instead of 8.9. */
const GZIP_LEVEL = 3;

/** A compressed piece. Each costs the event loop a turn: with zlib's 16 KiB they took an eighth of a catch-up's time. */
const GZIP_CHUNK_BYTES = 64 * 1024;

const gzip = promisify(zlib.gzip);

type Undici = typeof import('undici');

export interface HttpTransportOptions {
  /** Where requests go: `Format.endpoint` of the configured URL. */
  readonly endpoint: URL;
  readonly contentType: string;
  /** Milliseconds on any clock. */
  readonly now: () => number;
  /** Told of TLS files that cannot be used yet. */
  readonly occurrences?: HttpOccurrences;
}

/** The connections of one state of the TLS files and the proxy. */
interface Line {
  readonly pool: Pool;
  readonly material: TlsMaterial | undefined;
  readonly proxyText: string | undefined;
  readonly proxy: HttpProxy | undefined;
}

/**
 * Sends over undici, HTTP/1.1, one request at a time on each connection.
 *
 * Nothing is sent twice here: undici gives a POST up when its connection breaks, whether it was new or kept alive, and
 * whether the receiver may have stored the request or not. Retrying is the Delivery's.
 */
export class HttpTransport implements Transport {
  readonly #config: HttpSinkConfig;
  readonly #endpoint: URL;
  readonly #contentType: string;
  readonly #tlsFiles: TlsFiles;
  /** Loaded for the first sink that needs it: an agent without HTTP sinks starts faster, and with 16 MB less. */
  readonly #undici = import('undici');
  readonly #inFlight = new Set<Promise<HttpResponse>>();
  readonly #retired = new Set<Promise<void>>();
  #line: Line | undefined;
  #closing: Promise<void> | undefined;

  constructor(config: HttpSinkConfig, options: HttpTransportOptions) {
    this.#config = config;
    this.#endpoint = options.endpoint;
    this.#contentType = options.contentType;
    this.#tlsFiles = new TlsFiles(config.tls, options.now, (error) => options.occurrences?.tlsFilesKept(error));
  }

  /**
   * An empty body is sent as it is, which no format makes: `probe` asks so.
   *
   * An answer that has begun is an answer: where it breaks off or does not end in time, what came is returned with
   * `complete: false`, because its status counts.
   */
  send(body: Buffer, signal: AbortSignal): Promise<HttpResponse> {
    const sent = this.#send(body, signal);
    this.#inFlight.add(sent);
    const forget = () => void this.#inFlight.delete(sent);
    sent.then(forget, forget);
    return sent;
  }

  /** A `send` after it fails as `unreachable`. */
  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    await Promise.all([this.#line?.pool.close(), ...this.#retired]);
  }

  async #send(body: Buffer, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    const { origin } = this.#endpoint;
    if (this.#closing !== undefined) throw new TransportError('unreachable', `${origin}: the sink is being closed`);
    // Not AbortSignal.any: the caller's signal lives as long as the agent, and would collect one entry a request.
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const { timeoutMs } = this.#config;
    const timer = setTimeout(
      () => stop.abort(new TransportError('unreachable', `${origin}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      const response = await this.#exchange(body, stop.signal);
      if (!response.complete) signal.throwIfAborted();
      return response;
    } catch (error) {
      signal.throwIfAborted();
      throw requestError(origin, error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #exchange(body: Buffer, signal: AbortSignal): Promise<HttpResponse> {
    const headers = requestHeaders(this.#config, this.#contentType);
    let payload = body;
    if (this.#config.compress === 'gzip' && body.length > 0) {
      payload = await gzip(body, { level: GZIP_LEVEL, chunkSize: GZIP_CHUNK_BYTES });
      headers['content-encoding'] = 'gzip';
    }
    const undici = await this.#undici;
    signal.throwIfAborted();
    // From here to the request nothing waits, so that no pool is retired under it.
    const line = this.#currentLine(undici);
    const path = this.#requestTarget(line, headers);
    const request = line.pool.request({ method: 'POST', path, headers, body: payload, signal });
    // undici does not look at the signal as long as a request waits for a connection.
    const answer = await Promise.race([request, rejectionBy(signal)]);
    const response = await readAnswer(answer);
    if (line.proxy !== undefined && response.status === 407) throw proxyRefusal(`proxy ${line.proxy.origin}`, 407);
    if (this.#endpoint.protocol === 'http:' && wantsTls(response)) {
      throw new TransportError('untrusted', `${this.#endpoint.origin}: it wants TLS on this port; url must be https`);
    }
    return response;
  }

  /** A proxy gets the whole URL of a plain request, and a tunnel for others (RFC 9112, section 3.2). */
  #requestTarget(line: Line, headers: Record<string, string>): string {
    const { origin, host, pathname, search, protocol } = this.#endpoint;
    if (line.proxy === undefined || protocol === 'https:') return pathname + search;
    headers.host ??= host;
    if (line.proxy.authorization !== undefined) headers['proxy-authorization'] = line.proxy.authorization;
    return origin + pathname + search;
  }

  /** The connections to use now: others than before when a TLS file or the proxy changed. */
  #currentLine(undici: Undici): Line {
    const { proxy: proxySecret } = this.#config;
    const proxyText = proxySecret === undefined ? undefined : reveal('proxy', proxySecret);
    const proxy = proxyText === undefined ? undefined : parseProxy(proxyText);
    const isSecure = this.#endpoint.protocol === 'https:' || proxy?.url.protocol === 'https:';
    const material = isSecure ? this.#currentMaterial() : undefined;
    const line = this.#line;
    if (line !== undefined && line.material === material && line.proxyText === proxyText) return line;
    this.#line = { pool: this.#openPool(undici, proxy, material), material, proxyText, proxy };
    if (line !== undefined) this.#retire(line.pool);
    return this.#line;
  }

  #currentMaterial(): TlsMaterial {
    try {
      return this.#tlsFiles.current();
    } catch (error) {
      if (!(error instanceof AuditailError)) throw error;
      throw new TransportError('untrusted', describeError(error));
    }
  }

  #openPool(undici: Undici, proxy: HttpProxy | undefined, material: TlsMaterial | undefined): Pool {
    const { tls, timeoutMs, concurrency } = this.#config;
    const endpoint = this.#endpoint;
    const isForwarded = proxy !== undefined && endpoint.protocol === 'http:';
    return new undici.Pool(isForwarded ? proxy.origin : endpoint.origin, {
      connect: createConnector({
        endpoint,
        proxy,
        material,
        serverName: tls.serverName,
        hasCaFile: tls.caFile !== undefined,
        timeoutMs,
      }),
      connections: concurrency,
      pipelining: 1,
      allowH2: false,
      // The request's own timer is the only one: these two start again with each part that arrives.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Requests in flight end on the connections that they have. */
  #retire(pool: Pool): void {
    const closed = pool.close();
    this.#retired.add(closed);
    closed.then(() => this.#retired.delete(closed));
  }
}

function rejectionBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Reads as much as may be read. The connection is given up where that is not all. */
async function readAnswer(answer: Dispatcher.ResponseData): Promise<HttpResponse> {
  // Copied: an answer may come in pieces of one byte, and each would be an object of a hundred.
  let buffer = Buffer.alloc(0);
  let length = 0;
  let complete = true;
  let isTooLong = false;
  // A body that is left early says so with an error.
  answer.body.on('error', () => {});
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      const end = Math.min(length + chunk.length, MAX_RESPONSE_BYTES);
      if (end > buffer.length) buffer = Buffer.concat([buffer.subarray(0, length)], Math.max(end, 2 * buffer.length));
      isTooLong = chunk.copy(buffer, length, 0, end - length) < chunk.length;
      length = end;
      if (isTooLong) break;
    }
  } catch {
    complete = false;
  }
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
  return {
    status: answer.statusCode,
    headers,
    body: buffer.subarray(0, length),
    complete: complete && !isTooLong,
    isTooLong,
  };
}
