import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { endWithParent } from '../../helpers/children.ts';
import { BASE_ENV } from './base-images.ts';
import { inRoot, type Mount } from './namespaces.ts';

/** Of what a container says, characters from its end that are kept. */
const MAX_OUTPUT = 100_000;

/** Long enough for a loaded machine: a passing test never waits for it. */
const DEADLINE_MS = 60_000;

export interface ContainerOptions {
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** Those that are left to root (`dac_read_search`); all others are dropped. */
  readonly capabilities: readonly string[];
  /** Entrypoint and command. */
  readonly command: readonly string[];
}

/** A program as process 1 of a root that is read-only, as a container runtime would start it. */
export class Container implements AsyncDisposable {
  readonly #options: ContainerOptions;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #output = '';

  constructor(options: ContainerOptions) {
    this.#options = options;
    const { root, mounts, command } = options;
    const isolated = { root, mounts, readOnly: true, network: 'loopback' } as const;
    const [program, ...args] = inRoot(isolated, [...this.#rights(), ...command]);
    this.#child = spawn(program!, args, { env: BASE_ENV, stdio: ['ignore', 'pipe', 'pipe'] });
    endWithParent(this.#child);
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-MAX_OUTPUT);
      });
    }
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** What it wrote so far. */
  get output(): string {
    return this.#output;
  }

  /** Performs a command beside the program, with the same rights, as `docker exec` and health checks do. */
  exec(command: readonly string[]): SpawnSyncReturns<string> {
    const target = ['--target', `${this.#init()}`, '--mount', '--pid', '--net', '--ipc', '--uts', '--root', '--wd'];
    const options = { encoding: 'utf8', env: BASE_ENV, timeout: DEADLINE_MS } as const;
    return spawnSync('nsenter', [...target, ...this.#rights(), ...command], options);
  }

  /** Waits until a look at it finds what is looked for; what a look throws is the reason if it never does. */
  async until(what: string, look: () => boolean): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      let reason: unknown;
      try {
        if (look()) return;
      } catch (error) {
        reason = error;
      }
      if (this.#child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`${what}: not within ${DEADLINE_MS} ms; it wrote:\n${this.#output}`, { cause: reason });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends a signal to process 1, and waits for its end. Gives its exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    process.kill(this.#init(), signal);
    return this.#exited;
  }

  /** The exit code of a program that ends by itself. */
  ended(): Promise<number | null> {
    return this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #rights(): string[] {
    const kept = ['-all', ...this.#options.capabilities.map((name) => `+${name}`)].join(',');
    return ['setpriv', '--no-new-privs', '--inh-caps=-all', `--bounding-set=${kept}`];
  }

  /** The id that process 1 has on the machine. */
  #init(): number {
    const { pid } = this.#child;
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    if (!/^\d+$/.test(children)) throw new Error('the container has no process 1');
    return Number(children);
  }
}
