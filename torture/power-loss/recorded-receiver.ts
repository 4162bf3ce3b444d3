import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { linesOf } from '../../demo/receivers/lines.ts';
import { hashLine } from '../../test/helpers/line-multiset.ts';
import type { OperationLog } from './operation.ts';

/** Of 256 lines so many are never accepted, and become dead letters. */
const REJECTED = 8;

/** A receiver of NDJSON that the record tells of: what it took stands there before the agent gets to know. */
export class RecordedReceiver {
  /** Nothing is taken, and is tried again. */
  isAway = false;
  /** Lines that were taken since the last {@link forget}, by their hash. */
  readonly received = new Set<string>();
  #record: OperationLog | undefined;
  readonly #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(this.#take([...linesOf(Buffer.concat(chunks))])).end();
    });
  });

  static async start(): Promise<RecordedReceiver> {
    const receiver = new RecordedReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Forgets what it has, and tells another record from now on. */
  forget(record?: OperationLog): void {
    this.received.clear();
    this.#record = record;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #take(lines: readonly Buffer[]): number {
    if (this.isAway) return 503;
    const hashes = lines.map(hashLine);
    if (hashes.some((hash) => hash[0]! < REJECTED)) return 400;
    this.#record?.append({ kind: 'mark', data: Buffer.concat(hashes) });
    for (const hash of hashes) this.received.add(hash.toString('hex'));
    return 200;
  }
}
