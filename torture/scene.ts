import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ElasticsearchStore } from '../demo/receivers/elasticsearch-store.ts';
import { NDJSON } from '../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../demo/receivers/whole-request-store.ts';
import { SmallDisk, whyNoSmallDisk } from '../test/e2e/small-disk.ts';
import { agentCommand } from '../test/helpers/agent-process.ts';
import { agentConfig, type ConfigOptions, type TorturePaths } from './agent-config.ts';
import { FaultControl } from './fault-control.ts';
import type { Disk, Plan } from './plan.ts';
import { TorturedReceiver } from './tortured-receiver.ts';

const DISK_MIB = 64;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** One host of its own: directories, disks, receivers, and the faults that can be switched on. */
export class TortureScene {
  readonly directory = mkdtempSync(join(tmpdir(), 'auditail-torture-'));
  readonly paths: TorturePaths;
  readonly disks: Readonly<Record<Disk, SmallDisk>> | undefined;
  readonly whyNoDisks: string;
  readonly faults: FaultControl | undefined;
  readonly whyNoFaults: string;
  readonly stores: { readonly elasticsearch: ElasticsearchStore; readonly ndjson: WholeRequestStore };
  readonly receivers: { readonly elasticsearch: TorturedReceiver; readonly ndjson: TorturedReceiver };
  readonly options: ConfigOptions;
  /** What commands printed, by command. */
  readonly outputs = new Map<string, string>();
  variant = 0;
  /** How far the agent's clock is ahead of the host's. */
  clockMs = 0;

  private constructor(plan: Plan, stores: TortureScene['stores'], receivers: TortureScene['receivers']) {
    this.stores = stores;
    this.receivers = receivers;
    const why = whyNoSmallDisk();
    this.disks = why === false ? { archive: new SmallDisk(DISK_MIB), state: new SmallDisk(DISK_MIB) } : undefined;
    this.whyNoDisks = why === false ? '' : why;
    this.paths = {
      log: join(this.directory, 'log', 'audit.log'),
      archive: join(this.disks?.archive.path ?? this.directory, 'archive'),
      state: join(this.disks?.state.path ?? this.directory, 'state'),
      socket: join(this.directory, 'admin.sock'),
    };
    let whyNoFaults = '';
    try {
      this.faults = new FaultControl(join(this.directory, 'faults'), {
        log: join(this.directory, 'log'),
        archive: this.paths.archive,
        state: this.paths.state,
      });
    } catch (error) {
      whyNoFaults = `no library of faults could be made: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
    }
    this.whyNoFaults = whyNoFaults;
    // However this process ends, nothing stays mounted.
    process.once('exit', this.#unmount);
    const { compress, durability } = plan;
    const urls = { elasticsearch: receivers.elasticsearch.url, ndjson: receivers.ndjson.url };
    this.options = { paths: this.paths, urls, compress, durability };
  }

  static async create(plan: Plan): Promise<TortureScene> {
    const stores = { elasticsearch: new ElasticsearchStore(), ndjson: new WholeRequestStore(NDJSON) };
    return new TortureScene(plan, stores, {
      elasticsearch: await TorturedReceiver.start(stores.elasticsearch),
      ndjson: await TorturedReceiver.start(stores.ndjson),
    });
  }

  get config(): Record<string, unknown> {
    return agentConfig(this.options, this.variant);
  }

  /** Runs a command of the program. @throws Error when it fails, but for the exit codes that are named. */
  async command(words: readonly string[], { codes = [0] } = {}): Promise<string> {
    const file = join(this.directory, 'auditail.yaml');
    writeFileSync(file, JSON.stringify(this.config), { mode: 0o600 });
    const [program, ...args] = agentCommand();
    const name = words.join(' ');
    const run = promisify(execFile)(program!, [...args, ...words, '-c', file], { maxBuffer: MAX_OUTPUT_BYTES });
    const { stdout, stderr } = await run.catch((error: { code?: unknown; stdout: string; stderr: string }) => {
      if (typeof error.code === 'number' && codes.includes(error.code)) return error;
      throw new Error(`auditail ${name} ended with ${error.code}: ${error.stderr}`, { cause: error });
    });
    this.outputs.set(name, `${stdout}${stderr}`);
    return stdout;
  }

  /** Puts what lies on its disks beside the rest, to be looked at. */
  keep(): void {
    if (this.disks === undefined) return;
    for (const [name, path] of [
      ['archive', this.paths.archive],
      ['state', this.paths.state],
    ] as const) {
      if (existsSync(path)) cpSync(path, join(this.directory, name), { recursive: true });
    }
  }

  readText(name: string): string {
    const path = join(this.directory, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  subdirectory(name: string): string {
    const path = join(this.directory, name);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  readonly #unmount = (): void => {
    for (const disk of Object.values(this.disks ?? {})) disk[Symbol.dispose]();
  };

  async close({ keep }: { keep: boolean }): Promise<void> {
    await this.receivers.elasticsearch.close();
    await this.receivers.ndjson.close();
    this.faults?.close();
    if (keep) this.keep();
    this.#unmount();
    process.off('exit', this.#unmount);
    if (!keep) rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}
