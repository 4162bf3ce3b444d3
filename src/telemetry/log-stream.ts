import { write, writeSync } from 'node:fs';
import { errorCode } from '../errors.ts';

/** Lines that wait for a slow reader; beyond it new ones are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Joining more would only hold more memory. */
const MAX_WRITE_BYTES = 64 * 1024;

/** A pipe that does not block says EAGAIN while it is full. */
const RETRY_MS = 100;

/** A write that takes longer has no reader: the end of the process does not wait for it. */
const STALLED_MS = 1000;

/** What a write that has just begun needs, at the end of the process. */
const GRACE_MS = 50;

/** The calls that write; tests put faults in between. */
export interface LogIo {
  write(fd: number, bytes: Buffer, done: (error: Error | null, written: number) => void): void;
  writeSync(fd: number, bytes: Buffer): number;
}

const nodeLogIo: LogIo = {
  write: (fd, bytes, done) => write(fd, bytes, 0, bytes.length, null, done),
  writeSync: (fd, bytes) => writeSync(fd, bytes),
};

/**
 * Writes log lines to a descriptor. A log must never stop the agent: not a reader that stalls, nor one that is gone, nor
 * a full disk behind it. What cannot be written is dropped, and later lines are tried again.
 *
 * pino's own destination throws such errors, and at the end of the process it repeats a failed write for ever.
 */
export class LogStream {
  readonly #fd: number;
  readonly #io: LogIo;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** What is being written, and since when. */
  #sending: { readonly bytes: Buffer; readonly since: number; readonly inFlight: boolean } | undefined;
  /** The end of a line was dropped: the next one must not continue it. */
  #isTorn = false;

  constructor(fd: number, io: LogIo = nodeLogIo) {
    this.#fd = fd;
    this.#io = io;
  }

  /** Takes one or more whole lines. */
  write(lines: string): void {
    const bytes = Buffer.from(lines);
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#sending === undefined) this.#sendNext();
  }

  /** At the end of the process: writes what waits, if somebody takes it. */
  flushSync(): void {
    const sending = this.#sending;
    if (sending !== undefined && performance.now() - sending.since > STALLED_MS) return;
    // Its outcome cannot be learnt any more, so it is given the time to end.
    if (sending?.inFlight === true) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, GRACE_MS);
    else this.#sending = undefined;
    let bytes = Buffer.concat([...(sending?.inFlight === false ? [sending.bytes] : []), ...this.#waiting]);
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      while (bytes.length > 0) bytes = bytes.subarray(this.#io.writeSync(this.#fd, bytes));
    } catch {
      // There is nobody left to tell.
    }
  }

  #sendNext(): void {
    const lines: Buffer[] = this.#isTorn ? [Buffer.from('\n')] : [];
    let length = 0;
    while (this.#waiting.length > 0 && length < MAX_WRITE_BYTES) {
      const line = this.#waiting.shift()!;
      length += line.length;
      lines.push(line);
    }
    this.#waitingBytes -= length;
    if (length === 0) this.#sending = undefined;
    else this.#send(Buffer.concat(lines), performance.now());
  }

  #send(bytes: Buffer, since: number): void {
    this.#sending = { bytes, since, inFlight: true };
    this.#io.write(this.#fd, bytes, (error, written) => this.#sent(bytes, error, written));
  }

  #sent(bytes: Buffer, error: Error | null, written: number): void {
    if (error !== null && errorCode(error) === 'EAGAIN') {
      const retry = { bytes, since: this.#sending!.since, inFlight: false };
      this.#sending = retry;
      setTimeout(() => {
        if (this.#sending === retry) this.#send(bytes, retry.since);
      }, RETRY_MS).unref();
    } else if (error === null && written < bytes.length) {
      this.#isTorn = true;
      this.#send(bytes.subarray(written), performance.now());
    } else {
      if (error === null) this.#isTorn = false;
      this.#sendNext();
    }
  }
}
