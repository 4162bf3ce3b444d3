import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import split2 from 'split2';
import { endWithParent, removeNow, removeWithParent } from '../helpers/children.ts';

/** Loki takes seconds on an idle machine; a passing test never waits for this. */
const READY_MS = 60_000;

/** A server that does not end on SIGTERM by then is killed. */
const STOP_MS = 15_000;

const POLL_MS = 50;
const PROBE_MS = 2000;

/** Lines of output kept, which errors quote. */
const QUOTED_LINES = 20;

/** How often a port that somebody else took in between is exchanged for another. */
const ATTEMPTS = 3;

export interface ServerSetup {
  /** How errors call it. */
  readonly name: string;
  readonly program: string;
  /** Free ports that `start` wants. Default 1. */
  readonly ports?: number;
  /** Writes what the server needs into its directory; returns its arguments and a URL that answers less than 500 once it is ready. */
  readonly prepare: (directory: string, ports: readonly number[]) => { args: readonly string[]; ready: string };
}

/** A receiver of somebody else on loopback, in a directory of its own that goes with it. `await using` ends it. */
export class ServerProcess {
  readonly directory: string;
  readonly ports: readonly number[];
  readonly #setup: ServerSetup;
  readonly #args: readonly string[];
  readonly #ready: string;
  readonly #lines: string[] = [];
  #child: ChildProcess;
  #ended: Promise<void>;
  #end: string | undefined;

  private constructor(setup: ServerSetup, directory: string, ports: readonly number[]) {
    const { args, ready } = setup.prepare(directory, ports);
    this.#setup = setup;
    this.directory = directory;
    this.ports = ports;
    this.#args = args;
    this.#ready = ready;
    [this.#child, this.#ended] = this.#spawn();
  }

  /**
   * Starts a server and waits until it is ready.
   *
   * @throws Error when it ends or is not ready in time, with its last output.
   */
  static async start(setup: ServerSetup): Promise<ServerProcess> {
    for (let attempt = 1; ; attempt++) {
      const ports = await freePorts(setup.ports ?? 1);
      const directory = mkdtempSync(join(tmpdir(), `auditail-${setup.name}-`));
      removeWithParent(directory);
      // A server that drops root's privileges still has to reach its files.
      chmodSync(directory, 0o755);
      const server = new ServerProcess(setup, directory, ports);
      try {
        await server.#waitUntilReady();
        return server;
      } catch (error) {
        const portTaken = server.#lines.some((line) => /address already in use/i.test(line));
        await server.#kill();
        if (!portTaken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Ends the server and removes its directory. May be repeated. */
  async stop(): Promise<void> {
    await this.end();
    removeNow(this.directory);
  }

  /** Asks the server to flush and end. Its directory stays until {@link stop}. */
  async end(): Promise<void> {
    if (this.#end === undefined) this.#child.kill('SIGTERM');
    const timer = new AbortController();
    const late = sleep(STOP_MS, true, { signal: timer.signal, ref: false }).catch(() => false);
    if ((await Promise.race([this.#ended.then(() => false), late])) === true) this.#child.kill('SIGKILL');
    timer.abort();
    await this.#ended;
  }

  /** Starts a server that was ended once more, with its data and on its ports, and waits until it is ready. */
  async startAgain(): Promise<void> {
    await this.end();
    this.#end = undefined;
    [this.#child, this.#ended] = this.#spawn();
    await this.#waitUntilReady();
  }

  /**
   * Asks again until an answer is right.
   *
   * @param what completes "waited for …" in the error.
   * @throws Error at the deadline, and when the server ends before.
   */
  async waitFor(what: string, holds: () => Promise<boolean>, deadlineMs = READY_MS): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!(await holds())) {
      if (this.#end !== undefined) throw this.#error(`${this.#end} before ${what}`);
      if (performance.now() > end) throw this.#error(`waited ${deadlineMs} ms for ${what}`);
      await sleep(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #spawn(): [ChildProcess, Promise<void>] {
    // No environment beyond the least: a proxy or a setting of the machine must not reach the server.
    const env = { PATH: process.env.PATH, HOME: this.directory };
    const child = spawn(this.#setup.program, this.#args, {
      cwd: this.directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithParent(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.pipe(split2()).on('data', (line: string) => {
        if (this.#lines.length >= QUOTED_LINES) this.#lines.shift();
        this.#lines.push(line);
      });
    }
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(String(error)));
      child.once('close', (code, signal) => resolve(`ended with ${signal ?? code}`));
    });
    return [
      child,
      ended.then((end) => {
        this.#end = end;
      }),
    ];
  }

  #waitUntilReady(): Promise<void> {
    const url = this.#ready;
    return this.waitFor(`an answer of ${url}`, async () => {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
        await response.arrayBuffer();
        return response.status < 500;
      } catch {
        return false;
      }
    });
  }

  async #kill(): Promise<void> {
    if (this.#end === undefined) this.#child.kill('SIGKILL');
    await this.#ended;
    removeNow(this.directory);
  }

  #error(text: string): Error {
    const lines = this.#lines.map((line) => `\n  ${line}`).join('');
    return new Error(`${this.#setup.name}: ${text}. Its last output:${lines || ' none'}`);
  }
}

/** Ports of 127.0.0.1 that were free just now, all of them at the same time, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(async (server) => {
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', resolve);
        });
        const address = server.address();
        if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
        return address.port;
      }),
    );
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
