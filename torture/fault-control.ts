import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';
import { fileURLToPath } from 'node:url';
import { buildShim } from './shim/build-shim.ts';

const SOURCE = fileURLToPath(new URL('./shim/faults.c', import.meta.url));

/** The layout of `struct control`, `struct rule` and `struct step` in faults.c. */
const RULES = 16;
const RULE_BYTES = 64;
const RULES_AT = 64;
const CLOCK_AT = 8;
const STEPS_AT = 16;
const STEP_AT = RULES_AT + RULES * RULE_BYTES;
const STEP_BYTES = 16;
const STEPS = 256;
const HITS_AT = 32;

/** Kinds of system calls, with their bits. */
const CALLS = { read: 1, write: 2, sync: 4, truncate: 8, open: 16, unlink: 32, create: 64 } as const;
export type FaultCall = keyof typeof CALLS;

export interface FaultRule {
  readonly calls: readonly FaultCall[];
  /** Names of directories whose files are concerned. */
  readonly directories: readonly string[];
  /** One of so many such calls. */
  readonly every: number;
  readonly error?: 'EIO' | 'ENOSPC' | 'EMFILE' | 'EROFS';
  /** Half of the bytes are read or written. */
  readonly halve?: boolean;
  readonly pauseMs?: number;
}

/** Switches faults of the file calls, and of the clock, in programs that run with {@link env}: see shim/faults.c. */
export class FaultControl {
  readonly env: Readonly<Record<string, string>>;
  readonly #fd: number;
  readonly #names: readonly string[];
  readonly #on = new Set<number>();
  #steps = 0;

  /**
   * @param file where the control file is made; it must not be there.
   * @param directories by name, at most eight.
   * @throws Error when there is no C compiler.
   */
  constructor(file: string, directories: Readonly<Record<string, string>>) {
    const library = buildShim(SOURCE);
    this.#names = Object.keys(directories);
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    writeSync(this.#fd, Buffer.alloc(STEP_AT + STEPS * STEP_BYTES));
    this.env = {
      LD_PRELOAD: library,
      FAULTS_CONTROL: file,
      FAULTS_DIRECTORIES: Object.values(directories).join(':'),
    };
  }

  /** @returns the rule's number, for {@link off}. @throws RangeError when too many are on. */
  on(rule: FaultRule): number {
    const slot = Array.from({ length: RULES }, (_, i) => i).find((i) => !this.#on.has(i));
    if (slot === undefined) throw new RangeError(`${RULES} rules are on`);
    const calls = rule.calls.reduce((bits, call) => bits | CALLS[call], 0);
    const directories = rule.directories.reduce((bits, name) => bits | (1 << this.#numberOf(name)), 0);
    const error = rule.error === undefined ? 0 : os.errno[rule.error];
    const fields = [calls, directories, error, rule.every, rule.halve === true ? 1 : 0, (rule.pauseMs ?? 0) * 1000];
    const bytes = Buffer.alloc(RULE_BYTES);
    fields.forEach((field, i) => {
      bytes.writeUInt32LE(field, 4 + 4 * i);
    });
    this.#write(RULES_AT + slot * RULE_BYTES, bytes);
    // Last, so that no program sees a half of it.
    this.#write(RULES_AT + slot * RULE_BYTES, uint32(1));
    this.#on.add(slot);
    this.#write(0, uint32(this.#on.size));
    return slot;
  }

  /** @returns how many calls the rule hit. */
  off(slot: number): number {
    this.#write(RULES_AT + slot * RULE_BYTES, uint32(0));
    this.#on.delete(slot);
    this.#write(0, uint32(this.#on.size));
    const hits = Buffer.alloc(4);
    readSync(this.#fd, hits, 0, 4, RULES_AT + slot * RULE_BYTES + HITS_AT);
    return hits.readUInt32LE(0);
  }

  /** Sets the system's clock so far ahead of, or behind, the host's. Times of files are those of the clock that was. */
  setClock(aheadMs: number): void {
    const step = Buffer.alloc(STEP_BYTES);
    step.writeBigInt64LE(BigInt(Date.now()) * 1000n);
    step.writeBigInt64LE(BigInt(aheadMs) * 1000n, 8);
    this.#write(STEP_AT + (this.#steps % STEPS) * STEP_BYTES, step);
    this.#steps++;
    this.#write(STEPS_AT, uint32(this.#steps));
    this.#write(CLOCK_AT, step.subarray(8));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #numberOf(name: string): number {
    const number = this.#names.indexOf(name);
    if (number === -1) throw new RangeError(`${name} is none of the directories ${this.#names.join(', ')}`);
    return number;
  }

  #write(at: number, bytes: Buffer): void {
    writeSync(this.#fd, bytes, 0, bytes.length, at);
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
