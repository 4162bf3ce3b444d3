import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AgentStatus } from '../../src/admin/agent-status.ts';
import { AgentProcess, agentCommand } from '../../test/helpers/agent-process.ts';
import { findProgram } from './find-program.ts';

/** Every call by which a program can ask the disk to keep what it wrote. */
const SYNC_CALLS = ['fsync', 'fdatasync', 'sync_file_range', 'msync', 'sync', 'syncfs'];

/** Far more than it takes, on a loaded machine too. */
const DEADLINE_MS = 300_000;

/** What is looked at of the JSON that `offsets list` prints. */
interface OffsetsReport {
  readonly sources: readonly {
    readonly streams: readonly {
      readonly segments: readonly { readonly sinks: readonly { readonly lag?: number | null }[] }[];
    }[];
  }[];
}

export interface DaemonOptions {
  /** With an admin listener on a socket in this directory. */
  readonly directory: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Counts syncs with strace, which costs the agent some speed. */
  readonly countSyncs?: boolean;
}

/** Why syncs cannot be counted here; undefined when they can. */
export function countingImpossible(): string | undefined {
  return findProgram('strace') === undefined ? 'strace is not installed' : undefined;
}

/** The agent as a daemon, as it runs on a host. */
export class Daemon implements AsyncDisposable {
  readonly process: AgentProcess;
  readonly #socket: string;
  readonly #trace: string;
  /** For commands beside it. */
  readonly #configFile: string;

  constructor({ directory, config, countSyncs = false }: DaemonOptions) {
    this.#socket = join(directory, 'admin.sock');
    this.#trace = join(directory, 'syncs.txt');
    rmSync(this.#trace, { force: true });
    const admin = { listen: `unix:${this.#socket}` };
    // -D: the agent is the child of this process, and strace beside it; --seccomp-bpf: only these calls are stopped.
    const calls = `trace=${SYNC_CALLS.join(',')}`;
    const strace = ['strace', '-D', '-f', '--seccomp-bpf', '-qq', '-e', calls, '-e', 'signal=none', '-o', this.#trace];
    this.#configFile = join(directory, 'auditail.yaml');
    writeFileSync(this.#configFile, JSON.stringify(config));
    this.process = AgentProcess.start({ config: { ...config, admin }, through: countSyncs ? strace : [] });
  }

  /** Waits until `/readyz` says that it reads. */
  async ready(): Promise<void> {
    await this.process.waitFor('/readyz to say yes', async () => (await this.#get('/readyz'))?.status === 200);
  }

  /** Waits until every sink has taken all that is in the log, and that is committed. */
  async caughtUp(): Promise<void> {
    await this.process.waitFor(
      'the end of the log',
      async () => {
        const answer = await this.#get('/status');
        if (answer?.status !== 200) return false;
        const { sources } = JSON.parse(answer.body) as AgentStatus;
        return sources.every(({ streams, lag }) => streams.length > 0 && lag.every(({ bytes }) => bytes === 0));
      },
      DEADLINE_MS,
    );
    // Not all the time: each look is a process that takes CPU.
    await this.process.waitFor(
      'the commit',
      async () => (await this.#uncommitted()) === 0 || sleep(500, false),
      DEADLINE_MS,
    );
  }

  /** Syncs since the start. @throws Error where they are not counted. */
  syncs(): number {
    const trace = readFileSync(this.#trace, 'latin1');
    // A call that another thread interrupts has a second line, which says "resumed".
    return trace.split('\n').filter((line) => /^\d+\s+[a-z_]+\(/.test(line)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }

  /** Bytes that are in the log, and not durably in a sink, as `offsets list` says. */
  async #uncommitted(): Promise<number> {
    const [program, ...args] = [...agentCommand(), 'offsets', 'list', '--json', '-c', this.#configFile];
    const { stdout } = await promisify(execFile)(program!, args);
    const { sources } = JSON.parse(stdout) as OffsetsReport;
    const places = sources.flatMap(({ streams }) =>
      streams.flatMap(({ segments }) => segments.flatMap(({ sinks }) => sinks)),
    );
    return places.reduce((sum, { lag }) => sum + (lag ?? 0), 0);
  }

  /** Undefined while nobody listens. */
  async #get(path: string): Promise<{ readonly status: number | undefined; readonly body: string } | undefined> {
    const request = http.get({ socketPath: this.#socket, path });
    try {
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      return { status: response.statusCode, body: await text(response) };
    } catch {
      return undefined;
    }
  }
}
