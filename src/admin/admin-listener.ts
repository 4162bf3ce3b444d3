import type { Server } from 'node:http';
import { formatListenAddress, type ListenAddress } from '../config/listen-address.ts';
import { describeError, errorCode } from '../errors.ts';
import { http } from '../node-http.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AdminView } from './admin-view.ts';
import { answer } from './answer.ts';
import { listenOnSocket, removeSocket, type SocketFile } from './unix-socket.ts';

/** How often an address that could not be had is tried again: mostly the agent before an upgrade still has it. */
const RETRY_MS = 15_000;

/** Whoever needs longer to ask, or does not take the answer, is cut off. */
const REQUEST_TIMEOUT_MS = 5_000;

/** Further connections are closed at once: clients that hold theirs cannot use up the agent's descriptors. */
const MAX_CONNECTIONS = 32;

const MAX_HEADER_BYTES = 8 * 1024;

/**
 * Answers on `admin.listen`. It outlives the agents that a reload starts one after another, and moves only when the
 * address changes.
 *
 * An address that cannot be had does not keep the agent from its work: it is told as an error, and tried again. Evidence
 * that is not archived is lost; who looks after the agent sees a probe or a scrape fail.
 */
export class AdminListener {
  readonly #log: () => Logger;
  readonly #retryMs: number;
  readonly #timeoutMs: number;
  #view: AdminView | undefined;
  #wanted: ListenAddress | undefined;
  #server: Server | undefined;
  #socket: SocketFile | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** One change at a time. */
  #changing: Promise<void> = Promise.resolve();

  /** @param log gives the logger of now: a reload may change it. */
  constructor(log: () => Logger, options: { retryMs?: number; timeoutMs?: number } = {}) {
    this.#log = log;
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
  }

  /** Where it listens now, with the port that was found for port 0; undefined while it does not. */
  get address(): string | undefined {
    const bound = this.#server?.address();
    if (bound === undefined || bound === null) return undefined;
    if (typeof bound === 'string') return formatListenAddress({ kind: 'unix', path: this.#socket?.path ?? bound });
    return formatListenAddress({ kind: 'tcp', host: bound.address, port: bound.port });
  }

  /** What is answered from now on; undefined: that the agent is starting. */
  show(view: AdminView | undefined): void {
    this.#view = view;
  }

  /** Listens there from now on; undefined is nowhere. Never rejects. */
  listen(address: ListenAddress | undefined): Promise<void> {
    return this.#change(async () => {
      if (isSame(address, this.#wanted)) return;
      await this.#end();
      this.#wanted = address;
      await this.#begin();
    });
  }

  /** Ends, with the connections that it has. May be repeated. */
  close(): Promise<void> {
    return this.listen(undefined);
  }

  #change(work: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(work);
    return this.#changing;
  }

  async #begin(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const server = this.#newServer();
    try {
      if (wanted.kind === 'unix') this.#socket = await listenOnSocket(server, wanted.path);
      else await listenOnPort(server, wanted);
      server.on('error', (error) => this.#log().error({ error: describeError(error) }, 'the admin listener failed'));
      this.#server = server;
      this.#log().info({ address: this.address }, 'answering /metrics, /status, /healthz and /readyz');
    } catch (error) {
      server.close();
      this.#log().error(
        {
          event: 'admin_listener_failed',
          address: formatListenAddress(wanted),
          error: describeError(error),
          ...(errorCode(error) === 'EADDRINUSE' && { hint: 'Another program has this port: change admin.listen' }),
          retry_in_ms: this.#retryMs,
        },
        'cannot listen for metrics, probes and status: the agent works on without them, and tries again',
      );
      this.#retry = setTimeout(() => void this.#change(() => this.#beginAgain()), this.#retryMs).unref();
    }
  }

  async #beginAgain(): Promise<void> {
    if (this.#server === undefined && this.#retry !== undefined) await this.#begin();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const server = this.#server;
    const socket = this.#socket;
    this.#server = undefined;
    this.#socket = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    if (socket === undefined) return;
    await removeSocket(socket).catch((error: unknown) =>
      this.#log().warn({ path: socket.path, error: describeError(error) }, 'the admin socket could not be removed'),
    );
  }

  #newServer(): Server {
    const server = http.createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: this.#timeoutMs,
        requestTimeout: this.#timeoutMs,
        keepAliveTimeout: 1,
        connectionsCheckingInterval: this.#timeoutMs,
      },
      (request, response) => void answer(request, response, this.#view),
    );
    server.maxConnections = MAX_CONNECTIONS;
    // Whoever does not take the answer.
    server.setTimeout(2 * this.#timeoutMs, (socket) => socket.destroy());
    server.unref();
    return server;
  }
}

function listenOnPort(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isSame(one: ListenAddress | undefined, other: ListenAddress | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return formatListenAddress(one) === formatListenAddress(other);
}
