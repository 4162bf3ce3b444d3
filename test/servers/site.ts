import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { AgentProcess, type Exit, type LogLine } from '../helpers/agent-process.ts';
import { removeNow, removeWithParent } from '../helpers/children.ts';
import { RotatingWriter } from '../helpers/rotating-writer.ts';
import { type CertificateFiles, writeCertificates } from './certificates.ts';
import { type Answered, Nginx } from './nginx.ts';
import { keyOf, type Pair } from './pairs.ts';
import { type Tally, tally } from './tally.ts';

/** Events of one request: small, so that a crash finds some requests answered, some on their way and some to be made. */
const BATCH_EVENTS = 500;

/** The agent shares the cores with all receivers. A passing test never waits for this. */
export const PATIENCE_MS = 120_000;

/** A host with an audit log, an agent with a sink for each pair, and nginx, which ends TLS before the receivers. */
export class Site implements AsyncDisposable {
  readonly pairs: readonly Pair[];
  readonly writer: RotatingWriter;
  readonly #state: string;
  readonly #directory: string;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #proxy: Nginx;
  readonly #agents: AgentProcess[] = [];
  /** Event times by what a receiver may have of an event. */
  readonly #written = { line: new Map<string, number>(), fields: new Map<string, number>() };

  private constructor(directory: string, proxy: Nginx, pairs: readonly Pair[], tls: CertificateFiles) {
    this.pairs = pairs;
    this.#state = join(directory, 'state');
    this.#directory = directory;
    this.#proxy = proxy;
    const log = join(directory, 'log', 'audit.log');
    this.writer = new RotatingWriter(log);
    this.#config = {
      state_dir: this.#state,
      commit: { interval: '500ms' },
      sources: [{ name: 'apiserver', tag: 'audit', path: log, refresh_interval: '200ms', rotate_wait: '200ms' }],
      sinks: pairs.map(({ name, mutual, path, settings }, index) => ({
        name,
        type: 'http',
        url: `${proxy.urls[index]}${path}`,
        tls: { ca_file: tls.ca, ...(mutual && { cert_file: tls.clientCertificate, key_file: tls.clientKey }) },
        batch: { events: BATCH_EVENTS },
        retry: { min: '100ms', max: '1s' },
        ...settings,
      })),
    };
  }

  static async start(nginx: string, pairs: readonly Pair[]): Promise<Site> {
    const directory = mkdtempSync(join(tmpdir(), 'auditail-site-'));
    removeWithParent(directory);
    mkdirSync(join(directory, 'log'));
    const tls = writeCertificates(directory);
    const upstreams = pairs.map(({ upstream, mutual }) => ({ url: upstream, mutual }));
    return new Site(directory, await Nginx.start(nginx, tls, upstreams), pairs, tls);
  }

  startAgent(): AgentProcess {
    const agent = AgentProcess.start({ config: this.#config });
    this.#agents.push(agent);
    return agent;
  }

  /** An agent that ends when everything is delivered. */
  runToEnd(): Promise<Exit & { log: readonly LogLine[] }> {
    return AgentProcess.runToEnd({ config: this.#config }, PATIENCE_MS);
  }

  write(lines: readonly string[]): void {
    this.writer.writeLines(lines);
    for (const line of lines) {
      const event = JSON.parse(line) as { auditID: string; stage: string; stageTimestamp: string };
      // The digits behind the milliseconds are cut off by both.
      const timeMs = Date.parse(event.stageTimestamp);
      this.#written.line.set(line, timeMs);
      this.#written.fields.set(keyOf(event), timeMs);
    }
  }

  /** Requests that a pair's receiver, or the proxy in its place, has answered. */
  answered(pair: Pair): readonly Answered[] {
    const index = this.pairs.indexOf(pair);
    return this.#proxy.answered().filter(({ upstream }) => upstream === index);
  }

  /** Requests that a pair's receiver has taken. */
  accepted(pair: Pair): number {
    return this.answered(pair).filter(({ status }) => status < 300).length;
  }

  /** Bytes of the log that a pair's sink has in its checkpoint. */
  committed(pair: Pair): number {
    const db = new Sqlite(join(this.#state, 'state.sqlite'), { readonly: true });
    try {
      return db.prepare('SELECT total(offset) FROM offsets WHERE sink = ?').pluck().get(pair.name) as number;
    } finally {
      db.close();
    }
  }

  /** What a pair's receiver has, against what was written. It may end the receiver. */
  async tally(pair: Pair): Promise<Tally> {
    return tally(this.#written[pair.keptAs], await pair.stored());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) await agent[Symbol.asyncDispose]();
    this.writer.close();
    await this.#proxy.stop();
    removeNow(this.#directory);
  }
}
