import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** More than any test sends: what exceeds it, Telegraf drops. */
const BUFFER = 1_000_000;

const PATH = '/events';

/** Telegraf's JSON listener, which takes arrays of any objects; it keeps the fields that it is told of. */
export class Telegraf {
  readonly url: string;
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
    this.url = `http://127.0.0.1:${server.ports[0]}${PATH}`;
  }

  /** @param fields names of the text fields that are kept. */
  static async start(program: string, fields: readonly string[]): Promise<Telegraf> {
    const server = await ServerProcess.start({
      name: 'telegraf',
      program,
      prepare: (directory, [port]) => {
        const config = join(directory, 'telegraf.conf');
        writeFileSync(config, configuration(directory, port!, fields));
        // It answers a GET with 405, which is an answer.
        return { args: [config], ready: `http://127.0.0.1:${port}${PATH}` };
      },
    });
    return new Telegraf(server);
  }

  /** Ends Telegraf, which writes what it still has, and reads the kept fields of each object. */
  async endAndRead(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    await this.#server.end();
    const file = join(this.#server.directory, 'events.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { fields: Record<string, unknown> }).fields);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** JSON strings and lists are TOML as well. */
function configuration(directory: string, port: number, fields: readonly string[]): string {
  const file = join(directory, 'events.jsonl');
  return `
[agent]
  flush_interval = "1s"
  metric_batch_size = 10000
  metric_buffer_limit = ${BUFFER}
  omit_hostname = true
  skip_processors_after_aggregators = true
[[inputs.http_listener_v2]]
  service_address = "tcp://127.0.0.1:${port}"
  paths = ["${PATH}"]
  data_format = "json"
  json_strict = true
  json_string_fields = ${JSON.stringify(fields)}
[[outputs.file]]
  files = [${JSON.stringify(file)}]
  data_format = "json"
`;
}
