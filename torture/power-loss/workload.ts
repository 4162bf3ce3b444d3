import { closeSync, existsSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AuditEvents } from '../../bench/audit-events.ts';
import { Random } from '../../bench/random.ts';
import { AgentProcess } from '../../test/helpers/agent-process.ts';
import { buildShim } from '../shim/build-shim.ts';
import type { CrashSite } from './crash-site.ts';
import { OperationLog } from './operation.ts';
import { placeKey, readPlaces } from './places.ts';
import { RecordedLog } from './recorded-log.ts';
import type { RecordedReceiver } from './recorded-receiver.ts';
import { type AgentKeys, ARCHIVE, RECEIVER, type Scene } from './scene.ts';
import type { Tree } from './tree.ts';

const START_MS = Date.UTC(2024, 4, 6, 7);
const ROTATE_BYTES = 60_000;
const KEPT_BACKUPS = 3;

const BOTH = [ARCHIVE, RECEIVER];

/** Long enough for a loaded machine. */
const DEADLINE_MS = 30_000;

export interface WorkloadOptions {
  readonly site: CrashSite;
  readonly scene: Scene;
  readonly receiver: RecordedReceiver;
  /** The record. */
  readonly record: string;
  readonly seed: number;
  readonly keys: AgentKeys;
  readonly events: number;
}

/** Variables that make a program record what it does below the root of a site. */
export function recorderEnv(site: CrashSite, record: string, killAt?: number): Record<string, string> {
  return {
    LD_PRELOAD: buildShim(fileURLToPath(new URL('../shim/record.c', import.meta.url))),
    AUDITAIL_RECORD: record,
    AUDITAIL_RECORD_ROOT: site.root,
    AUDITAIL_RECORD_INODES: site.inodes,
    // It would write without libc.
    UV_USE_IO_URING: '0',
    ...(killAt === undefined ? {} : { AUDITAIL_RECORD_KILL_AT: String(killAt) }),
  };
}

/**
 * Records an agent at work: a log that grows, is rotated, gzipped and pruned, a receiver that is away now and then and
 * rejects some lines, and an agent that is killed at moments that the seed decides.
 */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #random: Random;
  readonly #record: OperationLog;
  readonly #log: RecordedLog;
  #agent: AgentProcess;

  private constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#record = new OperationLog(options.record);
    this.#log = new RecordedLog(options.scene.log, options.site, this.#record);
    options.receiver.forget(this.#record);
    this.#agent = this.#start();
  }

  /** @returns what was there before. */
  static async run(options: WorkloadOptions): Promise<Tree> {
    mkdirSync(options.scene.logs);
    const before = options.site.keepInodes();
    const workload = new Workload(options);
    try {
      await workload.#run();
    } finally {
      await workload.#agent[Symbol.asyncDispose]();
      options.receiver.forget();
      workload.#log.close();
      workload.#record.close();
    }
    options.site.keepInodes();
    return before;
  }

  async #run(): Promise<void> {
    const random = this.#random;
    const lines = this.#lines();
    this.#options.receiver.isAway = true;
    while (lines.length > 0) {
      this.#log.append(
        Buffer.from(
          lines
            .splice(0, 1 + random.below(8))
            .map((line) => `${line}\n`)
            .join(''),
        ),
      );
      await this.#pause();
      if (this.#log.size > ROTATE_BYTES || random.chance(0.02)) this.#log.rotate();
      if (random.chance(0.05)) this.#options.receiver.isAway = !this.#options.receiver.isAway;
      if (random.chance(0.04)) await this.#gzip();
      if (this.#log.backups.length > KEPT_BACKUPS) await this.#prune();
      await this.#restartDead();
    }
    this.#options.receiver.isAway = false;
    await this.#waitFor('the end of the log', () => this.#isTaken(BOTH, [this.#log.inode], this.#log.size));
    await this.#stop();
  }

  /** Ends the last life in peace. One that was to be killed may meet that record within its last writes. */
  async #stop(): Promise<void> {
    for (;;) {
      // One that was only just started anew would be ended by the signal itself.
      await this.#waitFor('its start', () => this.#agent.findLog('auditail runs') !== undefined);
      const { code, signal } = await this.#agent.stop();
      if (code === 0) return;
      if (signal !== 'SIGKILL') throw new Error(`the recorded agent ended with ${signal ?? code}`);
      this.#agent = this.#start();
    }
  }

  /** Some milliseconds, or until one sink or both have everything: on a slow machine the agent would meet it all at once. */
  async #pause(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.3)) {
      const sinks = random.pick([[ARCHIVE], [ARCHIVE, RECEIVER]]);
      await this.#waitFor('what was written', () => this.#isTaken(sinks, [this.#log.inode], this.#log.size));
    } else {
      await sleep(random.below(20));
    }
  }

  /** Events of three hours, some of them late. */
  #lines(): string[] {
    const { events: count, seed } = this.#options;
    const spanMs = 3 * 3_600_000;
    const lines = [...new AuditEvents({ count, seed, namespaces: 4, startMs: START_MS, spanMs, meanBytes: 1200 })];
    for (let index = 0; index < lines.length; index += 1) {
      if (!this.#random.chance(0.03)) continue;
      const other = this.#random.below(lines.length);
      [lines[index], lines[other]] = [lines[other]!, lines[index]!];
    }
    return lines;
  }

  async #gzip(): Promise<void> {
    const plain = this.#log.backups.findLast(({ path }) => !path.endsWith('.gz'));
    if (plain === undefined) return;
    await this.#log.gzipBackup(readFileSync(plain.path), () => sleep(this.#random.below(40)));
  }

  /** Only of what both sinks have: what else is pruned would be a gap. */
  async #prune(): Promise<void> {
    const oldest = this.#log.backups[0]!;
    await this.#waitFor('the oldest backup', () => this.#isTaken(BOTH, oldest.inodes, oldest.bytes));
    this.#syncState();
    this.#log.prune();
  }

  /** A new life of the agent may have found, and shown, a commit that was not synced when the life before it ended. */
  #syncState(): void {
    const { state } = this.#options.scene;
    for (const path of [state, join(state, 'state.sqlite-wal')]) {
      if (!existsSync(path)) continue;
      const fd = openSync(path, 'r');
      const inode = fstatSync(fd, { bigint: true }).ino;
      this.#record.append({ kind: 'sync-begin', inode });
      fsyncSync(fd);
      this.#record.append({ kind: 'sync-end', inode });
      closeSync(fd);
    }
  }

  #isTaken(sinks: readonly string[], inodes: readonly bigint[], bytes: number): boolean {
    const places = readPlaces(this.#options.scene.state);
    return sinks.every((sink) => inodes.some((inode) => (places.get(placeKey(sink, inode)) ?? 0) >= bytes));
  }

  async #waitFor(what: string, holds: () => boolean): Promise<void> {
    const end = performance.now() + DEADLINE_MS;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`waited ${DEADLINE_MS} ms for the agent to take ${what}`);
      await this.#restartDead();
      await sleep(10);
    }
  }

  async #restartDead(): Promise<void> {
    if (this.#agent.running) return;
    const { code, signal } = await this.#agent.exited;
    if (signal !== 'SIGKILL') throw new Error(`the recorded agent ended with ${signal ?? code}`);
    this.#agent = this.#start();
  }

  #start(): AgentProcess {
    const { site, scene, receiver, record, keys } = this.#options;
    const killAt = this.#random.chance(0.8) ? 50 + this.#random.below(900) : undefined;
    return AgentProcess.start({
      config: scene.config(receiver.url, keys),
      env: recorderEnv(site, record, killAt),
    });
  }
}
