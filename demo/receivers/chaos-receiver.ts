import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Random } from '../../bench/random.ts';
import { type ChaosAct, ChaosSchedule, type ChaosWeights, EVERYTHING } from './chaos-schedule.ts';
import { perform, REDIRECT_PATH } from './perform.ts';
import type { ReceivedRequest, Store } from './store.ts';

const inflate = promisify(gunzip);

const HOST = '127.0.0.1';

/** How long the port is tried for after it was closed: another program may have got it, mostly for one connection. */
const REOPEN_MS = 10_000;
const REOPEN_PAUSE_MS = 50;

export interface ReceiverOptions {
  readonly store: Store;
  /** Keys, certificates and what is asked of the client's: makes it an https server. */
  readonly tls?: https.ServerOptions;
  /** Uncompressed bytes of a body; a larger one is answered with 413, whatever the schedule says. */
  readonly maxBodyBytes?: number;
}

export type RequestHead = Omit<ReceivedRequest, 'body'>;

/**
 * A receiver on a port of its own that does to its clients whatever receivers, and what stands before them, do.
 * It starts healthy.
 */
export class ChaosReceiver {
  /** How often it did what. */
  readonly acts = new Map<ChaosAct, number>();
  /** The last request's head. */
  lastRequest: RequestHead | undefined;
  /** Requests that followed a redirect. */
  strayed = 0;
  readonly #store: Store;
  readonly #options: ReceiverOptions;
  readonly #server: http.Server;
  readonly #failures: unknown[] = [];
  #port = 0;
  #actOf: (request: RequestHead) => ChaosAct = () => 'accept';
  #random = new Random(0);

  private constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#store = options.store;
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch((error) => {
        this.#failures.push(error);
        response.destroy();
      });
    };
    this.#server = options.tls === undefined ? http.createServer(handler) : https.createServer(options.tls, handler);
  }

  static async start(options: ReceiverOptions): Promise<ChaosReceiver> {
    const receiver = new ChaosReceiver(options);
    await receiver.#open();
    return receiver;
  }

  /** Without a path. It stays the same while the receiver is down. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${HOST}:${this.#port}`;
  }

  /** Accepts everything that the store accepts. */
  async healthy(): Promise<void> {
    await this.behave(() => 'accept');
  }

  /** Does as a schedule says, made from the seed. Leaves out what the store cannot do. */
  async chaos(seed: number, weights: ChaosWeights = EVERYTHING): Promise<void> {
    const possible = this.#store.confirmsItems ? weights : { ...weights, 'partial-busy': 0, 'partial-rejected': 0 };
    const schedule = new ChaosSchedule(seed, possible);
    this.#random = schedule.random;
    await this.behave(() => schedule.next());
  }

  /** Does as the function says, which is asked when the head of a request is there. */
  async behave(actOf: (request: RequestHead) => ChaosAct): Promise<void> {
    this.#actOf = actOf;
    if (!this.#server.listening) await this.#open();
  }

  /** Shows another certificate, and trusts other authorities, from the next connection on; those that are open are closed. */
  exchange(tls: SecureContextOptions): void {
    if (!(this.#server instanceof https.Server)) throw new TypeError('the receiver does not speak TLS');
    this.#server.setSecureContext(tls);
    this.#server.closeAllConnections();
  }

  /** Closes the port and all connections: new ones are refused. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** @throws AggregateError when the receiver itself, or its store, failed meanwhile. */
  async close(): Promise<void> {
    await this.down();
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'the receiver failed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(): Promise<void> {
    const end = performance.now() + REOPEN_MS;
    for (;;) {
      try {
        this.#server.listen(this.#port, HOST);
        await once(this.#server, 'listening');
        this.#port = (this.#server.address() as AddressInfo).port;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || performance.now() > end) throw error;
        await sleep(REOPEN_PAUSE_MS);
      }
    }
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const head = { method: message.method ?? '', path: message.url ?? '', headers: message.headers };
    this.lastRequest = head;
    if (head.path === REDIRECT_PATH) this.strayed++;
    const gone = new AbortController();
    response.once('close', () => gone.abort());

    const random = this.#random;
    let act = this.#actOf(head);
    const reset = (): void => resetConnection(message.socket);
    if (act === 'reset-unread') {
      this.#count(act);
      return reset();
    }
    const sent = await readBody(message);
    if (sent === undefined) return;
    const body = await decompressed(sent, head.headers['content-encoding']);
    if (body === undefined) {
      response.writeHead(400).end('the body is not in the encoding that the header names');
      return;
    }
    if (body.length > (this.#options.maxBodyBytes ?? Number.POSITIVE_INFINITY)) act = 'status-413';
    this.#count(act);
    const request = { ...head, body };
    await perform(act, { request, response, store: this.#store, random, signal: gone.signal, reset });
  }

  #count(act: ChaosAct): void {
    this.acts.set(act, (this.acts.get(act) ?? 0) + 1);
  }
}

/** The body as it was sent; undefined when the client went away. */
async function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

/** Undefined when the body is not what the header says. */
async function decompressed(body: Buffer, encoding: string | undefined): Promise<Buffer | undefined> {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip') return undefined;
  return inflate(body).catch(() => undefined);
}

/** With TLS the connection is only ended: Node resets plain TCP only. */
function resetConnection(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}
