import type { HttpEvent } from './http-event.ts';

/** An event that a receiver will never take, and why. */
export interface DeadLetter {
  readonly event: HttpEvent;
  readonly reason: string;
}

/** Where a sink puts its dead letters. */
export interface DeadLetterBox {
  /**
   * Keeps the letters, durably once it returns.
   *
   * @throws AuditailError `DEADLETTER_FULL` when there is no room and `overflow` is `block`, and what the disk says.
   * Nothing was kept then.
   */
  add(letters: readonly DeadLetter[]): void;
}
