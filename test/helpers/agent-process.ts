import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import split2 from 'split2';
import { endWithParent, removeNow, removeWithParent } from './children.ts';

const BUILT_PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Log lines kept; older ones are forgotten. */
const MAX_LOG_LINES = 5000;

/** Lines of the log that an error of this helper quotes. */
const QUOTED_LINES = 15;

/** How often a condition is looked at again. */
const POLL_MS = 20;

/** Long enough for a loaded machine: a passing test never waits for it. */
const DEADLINE_MS = 30_000;

/** A line of stderr: the fields of a JSON line, or `{ text }` for anything else. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface AgentOptions {
  /** The configuration, written as JSON, which is YAML. Unless it says otherwise, there is no admin listener: agents of many tests run at once. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Further arguments of `run`, such as `--exit-at-eof`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its arguments that executes the agent's command line, such as `setpriv --reuid 65534`. */
  readonly through?: readonly string[];
}

/** A configuration with one source and one archive, for most tests. Further keys may be spread over it. */
export function archiveConfig(paths: { state: string; log: string; archive: string }): Record<string, unknown> {
  return {
    state_dir: paths.state,
    sources: [{ name: 'apiserver', tag: 'audit', path: paths.log }],
    sinks: [{ name: 'archive', type: 'file', path: join(paths.archive, `audit-${'$'}{tag[1..]}.%Y%m%d%H.log.gz`) }],
  };
}

/**
 * The program, before its arguments: `dist/main.js` with this Node, or what `AUDITAIL_BIN` names.
 *
 * @throws Error when it was not built.
 */
export function agentCommand(): string[] {
  const program = process.env.AUDITAIL_BIN ?? BUILT_PROGRAM;
  if (!existsSync(program)) throw new Error(`${program} does not exist: run npm run build first`);
  const isScript = /\.[cm]?[jt]s$/.test(program);
  return isScript ? [process.execPath, program] : [program];
}

/**
 * `auditail run` as a process of its own.
 *
 * The process is killed when this one ends. With `await using`, also when the block ends.
 */
export class AgentProcess {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #configFile: string;
  readonly #log: LogLine[] = [];

  private constructor(child: ChildProcess, directory: string, configFile: string) {
    this.#child = child;
    this.#configFile = configFile;
    endWithParent(child);
    child.stderr?.pipe(split2()).on('data', (line: string) => {
      if (this.#log.length >= MAX_LOG_LINES) this.#log.shift();
      this.#log.push(parseLogLine(line));
    });
    // 'close' and not 'exit': by then the last log lines have been read.
    this.exited = new Promise<Exit>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    }).finally(() => removeNow(directory));
    // An error is told by whoever awaits; before that it must not end this process.
    this.exited.catch(() => {});
  }

  /** @throws Error when the program was not built. */
  static start(options: AgentOptions): AgentProcess {
    const program = agentCommand();
    const directory = mkdtempSync(join(tmpdir(), 'auditail-agent-'));
    removeWithParent(directory);
    // Whoever the agent runs as, it has to read its configuration.
    chmodSync(directory, 0o755);
    const config = join(directory, 'auditail.yaml');
    writeFileSync(config, textOf(options.config));
    const command = [...(options.through ?? []), ...program, 'run', '-c', config, ...(options.args ?? [])];
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    return new AgentProcess(child, directory, config);
  }

  /** Runs the agent until it has read everything that exists (`--exit-at-eof`). */
  static async runToEnd(options: AgentOptions, deadlineMs = DEADLINE_MS): Promise<Exit & { log: readonly LogLine[] }> {
    const agent = AgentProcess.start({ ...options, args: [...(options.args ?? []), '--exit-at-eof'] });
    return { ...(await agent.#within(deadlineMs, 'did not end at the end of its input')), log: agent.log };
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines of stderr. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  /** The first log line with this `message`, whole or by pattern. */
  findLog(message: string | RegExp): LogLine | undefined {
    return this.#log.find(({ message: text }) =>
      typeof message === 'string' ? text === message : message.test(String(text)),
    );
  }

  /**
   * Waits until a condition holds.
   *
   * @param what completes "waited for …" in the error.
   * @throws Error at the deadline, and when the process ends before the condition holds.
   */
  async waitFor(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = DEADLINE_MS): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!(await holds())) {
      if (!this.running) {
        const { code, signal } = await this.exited;
        // The last thing the process did may have been what is waited for.
        if (await holds()) return;
        throw this.#error(`ended (${signal ?? code}) while the test waited for ${what}`);
      }
      if (performance.now() > end) throw this.#error(`waited ${deadlineMs} ms for ${what}`);
      await sleep(POLL_MS);
    }
  }

  /** Kills the process as a crash would, and waits until it is gone. */
  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** Writes the configuration file anew, as JSON or as the text that is given; SIGHUP makes the agent read it. */
  reconfigure(config: Readonly<Record<string, unknown>> | string): void {
    writeFileSync(this.#configFile, typeof config === 'string' ? config : textOf(config));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks the process to drain and end (SIGTERM). @throws Error when it does not end in time; it is then killed. */
  async stop(deadlineMs = DEADLINE_MS): Promise<Exit> {
    this.#child.kill('SIGTERM');
    return this.#within(deadlineMs, 'did not end after SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {});
  }

  async #within(deadlineMs: number, failure: string): Promise<Exit> {
    const timer = new AbortController();
    const late = sleep(deadlineMs, undefined, { signal: timer.signal, ref: false }).catch(() => undefined);
    const exit = await Promise.race([this.exited, late]);
    timer.abort();
    if (exit !== undefined) return exit;
    await this.kill();
    throw this.#error(`${failure} within ${deadlineMs} ms`);
  }

  #error(text: string): Error {
    const lines = this.#log.slice(-QUOTED_LINES).map((line) => `\n  ${line.text ?? JSON.stringify(line)}`);
    return new Error(`agent ${this.pid}: ${text}. Its last log lines:${lines.join('') || ' none'}`);
  }
}

function textOf(config: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ admin: { listen: 'off' }, ...config }, undefined, 2);
}

function parseLogLine(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as LogLine;
  } catch {
    // Not a log line: what Node prints about a crash, for example.
  }
  return { text: line };
}
