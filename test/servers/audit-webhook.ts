import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** A server of ours around the apiserver's own types and codec: it takes what the apiserver's webhook backend sends. */
export class AuditWebhook {
  readonly url: string;
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
    this.url = `http://127.0.0.1:${server.ports[0]}/`;
  }

  static async start(program: string): Promise<AuditWebhook> {
    const server = await ServerProcess.start({
      name: 'audit-webhook',
      program,
      prepare: (directory, [port]) => ({
        args: [`127.0.0.1:${port}`, join(directory, 'events.jsonl')],
        ready: `http://127.0.0.1:${port}/`,
      }),
    });
    return new AuditWebhook(server);
  }

  /** The events that it took, as the apiserver's codec prints them. */
  read(): readonly Readonly<Record<string, unknown>>[] {
    return readFileSync(join(this.#server.directory, 'events.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
