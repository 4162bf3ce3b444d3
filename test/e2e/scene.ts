import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type AgentOptions, AgentProcess, type Exit, type LogLine } from '../helpers/agent-process.ts';
import { type ArchiveComparison, type CompareOptions, compareArchive } from '../helpers/archive-reader.ts';
import { removeNow, removeWithParent } from '../helpers/children.ts';
import type { LineMultiset } from '../helpers/line-multiset.ts';
import { RotatingWriter } from '../helpers/rotating-writer.ts';

/** 2024-05-06T07:00:00Z: in the past, so that its hour is over for the agent. */
export const HOUR_START = Date.UTC(2024, 4, 6, 7);

/** As it stands in the names of archive files. */
export const HOUR_NAME = '2024050607';

/** Linux counts CPU time in these for programs; see getconf CLK_TCK. */
const TICK_MS = 10;

export interface EventFields {
  readonly id: string | number;
  readonly namespace?: string;
  /** `stageTimestamp`, epoch milliseconds. */
  readonly timeMs?: number;
  /** Bytes that the line is filled up with. */
  readonly filler?: number;
}

/** A line of an audit log, as small as the agent's work allows. */
export function eventLine({ id, namespace = 'team-a', timeMs = HOUR_START, filler = 0 }: EventFields): string {
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    auditID: `${id}`,
    objectRef: { namespace },
    stageTimestamp: new Date(timeMs).toISOString(),
    ...(filler > 0 ? { filler: 'x'.repeat(filler) } : {}),
  });
}

/** One host in a temporary directory: a log and its writer, the agent's state, its archive. */
export class Scene implements AsyncDisposable {
  readonly root: string;
  readonly log: string;
  readonly state: string;
  readonly archive: string;
  readonly writer: RotatingWriter;
  #written = 0;
  readonly #agents: AgentProcess[] = [];

  constructor(places: { state?: string; archive?: string } = {}) {
    this.root = mkdtempSync(join(tmpdir(), 'auditail-e2e-'));
    removeWithParent(this.root);
    mkdirSync(join(this.root, 'log'));
    this.log = join(this.root, 'log', 'audit.log');
    this.state = places.state ?? join(this.root, 'state');
    this.archive = places.archive ?? join(this.root, 'archive');
    this.writer = new RotatingWriter(this.log);
  }

  /** A configuration in which nothing waits long; `sink` and `source` change its only sink and source. */
  config(
    changes: {
      readonly sink?: Readonly<Record<string, unknown>>;
      readonly source?: Readonly<Record<string, unknown>>;
      readonly [key: string]: unknown;
    } = {},
  ): Record<string, unknown> {
    const { sink, source, ...rest } = changes;
    return {
      state_dir: this.state,
      commit: { interval: '50ms' },
      sources: [
        {
          name: 'apiserver',
          tag: 'audit',
          path: this.log,
          refresh_interval: '50ms',
          rotate_wait: '50ms',
          ...source,
        },
      ],
      sinks: [
        {
          name: 'archive',
          type: 'file',
          path: join(this.archive, 'audit-${tag[1..]}.%Y%m%d%H.log.gz'),
          ...sink,
        },
      ],
      ...rest,
    };
  }

  start(options: Partial<AgentOptions> = {}): AgentProcess {
    const agent = AgentProcess.start({ config: this.config(), ...options });
    this.#agents.push(agent);
    return agent;
  }

  runToEnd(options: Partial<AgentOptions> = {}): Promise<Exit & { log: readonly LogLine[] }> {
    return AgentProcess.runToEnd({ config: this.config(), ...options }, 120_000);
  }

  /** Writes `count` small events, all different. */
  write(count: number, fields: Omit<EventFields, 'id'> = {}): void {
    for (let n = 0; n < count; n += 1) this.writer.writeLines([eventLine({ id: this.#written++, ...fields })]);
  }

  compare(expected: LineMultiset = this.writer.expected, options: CompareOptions = {}): Promise<ArchiveComparison> {
    return compareArchive(this.archive, expected, { describe: (hash) => this.writer.describe(hash), ...options });
  }

  /** Waits until as many lines are committed as were written: what is in the archive may still be cut off it. */
  async committed(agent: AgentProcess): Promise<void> {
    const { total } = this.writer.expected;
    await agent.waitFor(`${total} committed lines`, () => this.committedLines() >= total);
  }

  /** Waits until the archive holds as many lines as were written. */
  async archived(agent: AgentProcess, deadlineMs?: number): Promise<void> {
    const { total } = this.writer.expected;
    await agent.waitFor(`${total} archived lines`, async () => (await this.count()) >= total, deadlineMs);
  }

  /** Each line that was written is in the archive exactly once, nothing else is, and every file is whole. */
  async assertExact(options: CompareOptions = {}): Promise<ArchiveComparison> {
    const comparison = await this.compare(undefined, options);
    assertExact(comparison);
    return comparison;
  }

  /** Kills the agents that still run. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) await agent[Symbol.asyncDispose]();
    this.writer.close();
    removeNow(this.root);
  }

  /** Lines in the archive that no start cuts off any more. */
  committedLines(): number {
    const file = join(this.state, 'state.sqlite');
    if (!existsSync(file)) return 0;
    const db = new Sqlite(file, { readonly: true });
    try {
      return db.prepare('SELECT total(events) FROM archives').pluck().get() as number;
    } catch (error) {
      // The agent has not made its tables yet.
      if (error instanceof Error && /no such table/.test(error.message)) return 0;
      throw error;
    } finally {
      db.close();
    }
  }

  /** Lines in the archive of a running agent: a file may be half written, or vanish, while it is read. */
  async count(): Promise<number> {
    try {
      return (await this.compare()).archived;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
      throw error;
    }
  }
}

export function assertExact(comparison: ArchiveComparison): void {
  const { lost, duplicated, foreign, examples, files } = comparison;
  assert.deepEqual({ lost, duplicated, foreign }, { lost: 0, duplicated: 0, foreign: 0 }, JSON.stringify(examples));
  assert.deepEqual(
    files.flatMap(({ damage }) => damage ?? []),
    [],
  );
}

/** The largest resident memory that a process ever had, in MiB. */
export function peakMemoryMiB(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  assert.ok(kib !== undefined, 'no VmHWM in /proc');
  return Math.round(Number(kib) / 1024);
}

/** User and system time of a process, all threads, in milliseconds. */
export function cpuMs(pid: number): number {
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15 of all.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
