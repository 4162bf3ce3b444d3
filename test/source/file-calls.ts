import fsp, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import path from 'node:path';

/** The calls by which a source looks at the file system, in the order in which {@link FileCalls} counts them. */
const CALLS = ['open', 'stat', 'readdir', 'realpath'] as const;
const HANDLE_CALLS = ['read', 'stat'] as const;

export type FileCall = (typeof CALLS)[number] | `handle.${(typeof HANDLE_CALLS)[number]}`;

/**
 * Lets a test act right before each file call of the code under test: the moments at which the world can change under
 * it. The calls are those of this process's `node:fs/promises`; what the hook itself does with `node:fs` is not seen.
 */
export class FileCalls {
  count = 0;
  #before: ((call: FileCall, count: number, target: unknown) => void | Promise<void>) | undefined;
  readonly #restore: (() => void)[] = [];

  private constructor(handle: FileHandle) {
    const handles = Object.getPrototypeOf(handle) as object;
    for (const name of CALLS) this.#wrap(fsp, name, name);
    for (const name of HANDLE_CALLS) this.#wrap(handles, name, `handle.${name}`);
    syncBuiltinESMExports();
  }

  static async intercept(): Promise<FileCalls> {
    const file = path.join(os.tmpdir(), `auditail-handle-${process.pid}`);
    const handle = await fsp.open(file, 'w');
    try {
      return new FileCalls(handle);
    } finally {
      await handle.close();
      await fsp.rm(file, { force: true });
    }
  }

  /** `hook` runs before each call from now on, with the number of calls since; what it throws is the call's error. */
  before(hook: ((call: FileCall, count: number, target: unknown) => void | Promise<void>) | undefined): void {
    this.count = 0;
    this.#before = hook;
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
    syncBuiltinESMExports();
  }

  #wrap(owner: object, name: string, call: FileCall): void {
    const methods = owner as Record<string, (...args: unknown[]) => unknown>;
    const real = methods[name]!;
    const calls = this;
    methods[name] = async function (this: unknown, ...args: unknown[]) {
      const hook = calls.#before;
      if (hook !== undefined) {
        calls.count += 1;
        await hook(call, calls.count, call.startsWith('handle.') ? this : args[0]);
      }
      return real.apply(this, args);
    };
    this.#restore.push(() => {
      methods[name] = real;
    });
  }
}
