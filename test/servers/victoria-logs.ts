import { ServerProcess } from './server-process.ts';

/** Nothing is too old or too far in the future to be kept: the tests' events have made-up times. */
const FOR_EVER = '100y';

/** What VictoriaLogs takes for one event at most; its default for a line would be 256 KiB. */
const MAX_LINE = '2MiB';

/** An event as VictoriaLogs keeps it: nested fields under dotted names, every value as text. */
export type StoredFields = Readonly<Record<string, string>>;

/** VictoriaLogs, which takes Elasticsearch's bulk requests, Loki's push and newline JSON. */
export class VictoriaLogs {
  readonly url: string;
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
    this.url = `http://127.0.0.1:${server.ports[0]}`;
  }

  static async start(program: string): Promise<VictoriaLogs> {
    const server = await ServerProcess.start({
      name: 'victoria-logs',
      program,
      prepare: (directory, [port]) => ({
        args: [
          `-httpListenAddr=127.0.0.1:${port}`,
          `-storageDataPath=${directory}/data`,
          `-retentionPeriod=${FOR_EVER}`,
          `-futureRetention=${FOR_EVER}`,
          `-insert.maxLineSizeBytes=${MAX_LINE}`,
        ],
        ready: `http://127.0.0.1:${port}/insert/ready`,
      }),
    });
    return new VictoriaLogs(server);
  }

  /** Everything that is stored and matches a LogsQL query. @throws Error when the query is refused. */
  async query(logsQl: string): Promise<readonly StoredFields[]> {
    // What was taken just now becomes visible within a second; this does it at once.
    await this.#ask(new URL('/internal/force_flush', this.url));
    const url = new URL('/select/logsql/query', this.url);
    url.searchParams.set('query', logsQl);
    const lines = (await this.#ask(url)).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as StoredFields);
  }

  /** Ends it as its service manager would: what it took is on disk. */
  end(): Promise<void> {
    return this.#server.end();
  }

  /** Starts it with what it had at {@link end}, at the same URL. */
  startAgain(): Promise<void> {
    return this.#server.startAgain();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #ask(url: URL): Promise<string> {
    const response = await fetch(url);
    const text = await response.text();
    if (!response.ok) throw new Error(`VictoriaLogs answered ${response.status} to ${url.pathname}: ${text}`);
    return text;
  }
}
