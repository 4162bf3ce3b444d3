import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveFiles } from '../test/helpers/archive-reader.ts';
import type { AgentLives } from './agent-lives.ts';
import { askStatus } from './probe.ts';

const COMMITS = 2;
const COMMIT_WAIT_MS = 3000;
const STOP_WAIT_MS = 500;

/** An archive file that somebody took away. */
export interface Theft {
  /** A copy of it, as it was then: its end may not have been committed, and is archived once more. */
  readonly taken: string;
  /** A copy of it before two further commits; undefined where there were none. */
  readonly committed: string | undefined;
}

/** Deletes and exchanges archive files behind the agent's back, and keeps what they held. */
export class ArchiveThief {
  readonly thefts: Theft[] = [];
  /** What was put in the place of archive files: nobody but the thief may change it. */
  readonly foreign = new Map<string, Buffer>();
  readonly #archive: string;
  readonly #store: string;
  readonly #lives: AgentLives;
  readonly #socket: string;

  constructor(options: { archive: string; store: string; lives: AgentLives; socket: string }) {
    this.#archive = options.archive;
    this.#store = options.store;
    this.#lives = options.lives;
    this.#socket = options.socket;
    mkdirSync(this.#store, { recursive: true, mode: 0o700 });
  }

  /** @param which from 0 to 1. @returns false where there is no file. */
  async take(which: number, { exchange }: { exchange: boolean }): Promise<boolean> {
    if (!existsSync(this.#archive)) return false;
    const files = (await archiveFiles(this.#archive)).filter((name) => !this.foreign.has(name));
    const name = files[Math.floor(which * files.length)];
    if (name === undefined) return false;
    const path = join(this.#archive, name);
    const ending = name.slice(name.lastIndexOf('.'));
    const kept = join(this.#store, `${this.thefts.length}`);
    copyFileSync(path, `${kept}.committed${ending}`);
    const isCommitted = await this.#commitsPass();
    if (!existsSync(path)) return false;
    // Nothing is written between the copy and the deletion.
    this.#withAgentStopped(() => {
      copyFileSync(path, `${kept}.taken${ending}`);
      rmSync(path);
      if (exchange) this.#replace(name, path);
    });
    this.thefts.push({
      taken: `${kept}.taken${ending}`,
      committed: isCommitted ? `${kept}.committed${ending}` : undefined,
    });
    return true;
  }

  #replace(name: string, path: string): void {
    const content = Buffer.from(`put here by somebody else, ${this.foreign.size}\n`);
    writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
    this.foreign.set(name, content);
  }

  /** Waits for two commits of one agent: what stood in a file before them is committed. */
  async #commitsPass(): Promise<boolean> {
    const before = await askStatus(this.#socket);
    if (before === undefined) return false;
    for (const end = Date.now() + COMMIT_WAIT_MS; Date.now() < end; ) {
      await sleep(50);
      const now = await askStatus(this.#socket);
      if (now?.pid !== before.pid) return false;
      if (now.commits.completed >= before.commits.completed + COMMITS) return true;
    }
    return false;
  }

  #withAgentStopped(act: () => void): void {
    const pid = this.#lives.pid;
    if (pid !== undefined) {
      process.kill(pid, 'SIGSTOP');
      for (const end = Date.now() + STOP_WAIT_MS; Date.now() < end && !isStopped(pid); );
    }
    try {
      act();
    } finally {
      if (pid !== undefined) process.kill(pid, 'SIGCONT');
    }
  }
}

/** All threads: until the last one has stopped, the state of the process is another. */
function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
