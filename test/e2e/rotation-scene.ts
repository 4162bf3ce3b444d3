import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ENDINGS } from '../../src/config/types.ts';
import { type AgentOptions, AgentProcess, archiveConfig, type Exit, type LogLine } from '../helpers/agent-process.ts';
import { compareArchive, gzipTest, zstdTest } from '../helpers/archive-reader.ts';
import { removeNow, removeWithParent } from '../helpers/children.ts';
import type { LineMultiset } from '../helpers/line-multiset.ts';

/** Long enough for a loaded machine to archive some dozen megabytes. */
const DEADLINE_MS = 60_000;

/** A row of the table `gaps`, as the `sqlite3` program prints it. */
export interface GapRow {
  readonly path: string;
  readonly start_offset: number;
  readonly end_offset: number | null;
  readonly before_time: number | null;
  readonly after_time: number | null;
  readonly reason: string;
}

export interface SceneOptions {
  /** Further keys of the one source. */
  readonly source?: Record<string, unknown>;
  /** Further keys of the configuration. */
  readonly config?: Record<string, unknown>;
  /** Of the one sink, whose files are named for it. */
  readonly compress?: 'gzip' | 'zstd';
  /** Further keys of the one sink. */
  readonly sink?: Record<string, unknown>;
  /** Further variables of the agent's environment. */
  readonly env?: Record<string, string>;
}

/** The place of one test: a log, a state and an archive in a directory of their own, and the agents that run on them. */
export class Scene implements Disposable {
  readonly directory: string;
  readonly log: string;
  readonly archive: string;
  readonly state: string;
  readonly config: Record<string, unknown>;
  readonly #env: Record<string, string>;
  readonly #agents: AgentProcess[] = [];

  /** Short intervals, so that no test waits for defaults. */
  constructor(options: SceneOptions = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'auditail-e2e-'));
    removeWithParent(this.directory);
    this.log = join(this.directory, 'log', 'audit.log');
    this.archive = join(this.directory, 'archive');
    this.state = join(this.directory, 'state');
    mkdirSync(join(this.directory, 'log'), { mode: 0o700 });
    const { sources, sinks, ...rest } = archiveConfig(this) as {
      sources: Record<string, unknown>[];
      sinks: Record<string, unknown>[];
    };
    this.#env = options.env ?? {};
    const { compress = 'gzip' } = options;
    const archivePath = String(sinks[0]!.path).replace(/\.gz$/, ENDINGS[compress]);
    this.config = {
      ...rest,
      commit: { interval: '50ms', durability: 'process' },
      ...options.config,
      sources: [{ ...sources[0], refresh_interval: '100ms', rotate_wait: '150ms', ...options.source }],
      sinks: [{ ...sinks[0], compress, path: archivePath, ...options.sink }],
    };
  }

  start(options: Pick<AgentOptions, 'through'> = {}): AgentProcess {
    const agent = AgentProcess.start({ ...options, config: this.config, env: this.#env });
    this.#agents.push(agent);
    return agent;
  }

  /** Starts the agent, and waits until it has opened its state. */
  async startReading(options: Pick<AgentOptions, 'through'> = {}): Promise<AgentProcess> {
    const agent = this.start(options);
    await agent.waitFor('its start', () => agent.findLog('auditail runs') !== undefined);
    return agent;
  }

  /** Reads all that exists, delivers and commits it (`run --exit-at-eof`). */
  async drain(): Promise<readonly LogLine[]> {
    const { code, signal, log } = await AgentProcess.runToEnd({ config: this.config, env: this.#env }, DEADLINE_MS);
    const last = log.map((line) => JSON.stringify(line)).slice(-10);
    assert.equal(code, 0, `--exit-at-eof ended with ${code ?? signal}:\n${last.join('\n')}`);
    return log;
  }

  /** Waits until so many lines are committed. */
  async committed(agent: AgentProcess, lines: number): Promise<void> {
    await agent.waitFor(`${lines} committed lines`, () => this.committedLines() >= lines, DEADLINE_MS);
  }

  /** Lines committed to the archive so far. */
  committedLines(): number {
    const rows = this.look('SELECT total(events) AS sum FROM archives');
    return Number(rows[0]?.sum ?? 0);
  }

  /** Bytes of all segments that are committed, as the checkpoints say. */
  committedBytes(): number {
    const rows = this.look('SELECT total(offset) AS sum FROM offsets');
    return Number(rows[0]?.sum ?? 0);
  }

  /** Bytes of the live file that are not committed. */
  unread(): number {
    const { size, ino } = statSync(this.log, { bigint: true });
    const rows = this.look(
      `SELECT offset FROM offsets JOIN segments ON segments.id = segment WHERE inode = '${ino}' ORDER BY id DESC LIMIT 1`,
    );
    return Number(size) - Number(rows[0]?.offset ?? 0);
  }

  /** Segments that are not read to their end for good; the live file is always one of them. */
  unfinished(): number {
    const rows = this.look('SELECT count(*) AS count FROM segments WHERE finished = 0');
    return Number(rows[0]?.count ?? 0);
  }

  /** Everything that was expected is in the archive, once, and nothing else, and `gzip` or `zstd` finds no fault with it. */
  async assertArchive(expected: LineMultiset, describe?: (hash: string) => string): Promise<void> {
    const { files, examples, lost, duplicated, foreign, archived } = await compareArchive(
      this.archive,
      expected,
      describe === undefined ? {} : { describe },
    );
    assert.deepEqual(
      { lost, duplicated, foreign, damaged: files.flatMap(({ damage }) => damage ?? []) },
      { lost: 0, duplicated: 0, foreign: 0, damaged: [] },
      `of ${expected.total} lines, ${archived} archived: ${JSON.stringify(examples, undefined, 2)}`,
    );
    assert.equal(archived, expected.total);
    // Other names: a numbered sibling would mean that the agent found a file of its own unknown.
    const others = files.filter(({ file }) => !/^audit-[a-z0-9_-]+\.\d{10}\.log\.(gz|zst)$/.test(file));
    assert.deepEqual(others, []);
    await assertReadable(files.map(({ file }) => join(this.archive, file)));
  }

  gaps(): GapRow[] {
    return this.query('SELECT path, start_offset, end_offset, before_time, after_time, reason FROM gaps ORDER BY id');
  }

  /**
   * Asks the state database, while no agent runs: by the `sqlite3` program, or by Node's own SQLite where there is none.
   * Of a copy, with its write-ahead log: the next start must find everything as the last process left it.
   */
  query<Row>(sql: string): Row[] {
    const copy = mkdtempSync(join(this.directory, 'copy-'));
    try {
      const file = join(copy, 'state.sqlite');
      for (const end of ['', '-wal']) {
        const from = join(this.state, `state.sqlite${end}`);
        if (existsSync(from)) copyFileSync(from, `${file}${end}`);
      }
      return ask<Row>(file, sql);
    } finally {
      rmSync(copy, { recursive: true });
    }
  }

  [Symbol.dispose](): void {
    // Of a test that failed: nothing is left behind that would go on, or keep the tests from ending.
    for (const agent of this.#agents) if (agent.running) agent.signal('SIGKILL');
    removeNow(this.directory);
  }

  /** Asks the state database beside a running agent. */
  look(sql: string): Record<string, unknown>[] {
    const file = join(this.state, 'state.sqlite');
    if (!existsSync(file)) return [];
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(file, { readOnly: true });
      return db.prepare(sql).all() as Record<string, unknown>[];
    } catch {
      // It is just being made.
      return [];
    } finally {
      db?.close();
    }
  }
}

/** Lets `gzip` and `zstd` judge files, each its own. */
export async function assertReadable(files: readonly string[], message = 'of the archive'): Promise<void> {
  for (const [program, verdictOn, ending] of [
    ['gzip', gzipTest, '.gz'],
    ['zstd', zstdTest, '.zst'],
  ] as const) {
    const own = files.filter((file) => file.endsWith(ending));
    const verdict = await verdictOn(...own);
    if (verdict === 'missing') console.log(`no ${program} program here: it did not judge ${own.length} files`);
    else assert.equal(verdict, 'valid', `${program} -t, ${message}`);
  }
}

/** Sends SIGKILL, and makes sure that it was what ended the process. */
export async function killed(agent: AgentProcess): Promise<Exit> {
  const exit = await agent.kill();
  assert.equal(exit.signal, 'SIGKILL', `the agent ended by itself: ${JSON.stringify(agent.log.slice(-5))}`);
  return exit;
}

/** Stops the agent with SIGTERM; it has to end well. */
export async function stopped(agent: AgentProcess): Promise<void> {
  const { code, signal } = await agent.stop();
  assert.equal(code, 0, `SIGTERM: ended with ${code ?? signal}: ${JSON.stringify(agent.log.slice(-5))}`);
}

function ask<Row>(file: string, sql: string): Row[] {
  try {
    const out = execFileSync('sqlite3', ['-json', file, sql], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return (out.trim() === '' ? [] : JSON.parse(out)) as Row[];
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const db = new DatabaseSync(file);
  try {
    return db.prepare(sql).all() as Row[];
  } finally {
    db.close();
  }
}
