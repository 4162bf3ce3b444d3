import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Tally } from '../../demo/receivers/tally.ts';

/** `hold`: a request is answered when that ends. `refuse`: nothing is taken, and tried again. */
type Mode = 'accept' | 'hold' | 'refuse';

/** A receiver of plain NDJSON that counts its connections, and answers when the test wants it to. */
export class GatedReceiver implements AsyncDisposable {
  readonly stored = new Tally({ keepLines: true });
  /** Connections that were accepted. */
  connections = 0;
  /** Those that ended. */
  ended = 0;
  /** Requests that were refused. */
  refused = 0;
  readonly #server: http.Server;
  #mode: Mode = 'accept';
  #held: (() => void)[] = [];

  private constructor() {
    // Idle connections are the client's to end.
    this.#server = http.createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const answer = () => this.#answer(Buffer.concat(chunks), response);
        if (this.#mode === 'hold') this.#held.push(answer);
        else answer();
      });
    });
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      socket.on('close', () => {
        this.ended += 1;
      });
    });
  }

  static async start(): Promise<GatedReceiver> {
    const receiver = new GatedReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Requests that wait for their answer. */
  get held(): number {
    return this.#held.length;
  }

  become(mode: Mode): void {
    this.#mode = mode;
    if (mode === 'hold') return;
    for (const answer of this.#held.splice(0)) answer();
  }

  /** The numbers that the events bear, in the order in which they arrived. */
  numbers(): number[] {
    return this.stored.lines.map((line) => Number((JSON.parse(line.toString()) as { auditID: string }).auditID));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #answer(body: Buffer, response: http.ServerResponse): void {
    if (this.#mode === 'refuse') {
      this.refused += 1;
      response.writeHead(503).end();
      return;
    }
    // Who is gone would send it again.
    if (response.destroyed) return;
    for (const line of body.toString().split('\n')) if (line !== '') this.stored.add(Buffer.from(line));
    response.writeHead(200).end();
  }
}
