import { execFile } from 'node:child_process';
import { describeError } from '../errors.ts';
import type { Logger } from './logger.ts';

/** Longest time that one message may take. systemd-notify waits by itself for 5 s, until systemd has read it. */
const MESSAGE_TIMEOUT_MS = 10_000;

const USEC_PER_MS = 1000;

interface ServiceEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/**
 * Tells systemd how the service is (sd_notify(3)): ready, reloading, stopping, and alive for its watchdog. Without
 * `NOTIFY_SOCKET` in the environment it does nothing.
 *
 * The messages are sent by the program `systemd-notify`, because Node.js has no datagram sockets of the Unix domain. So
 * they come from a process of their own, and the unit needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #isThere: boolean;
  readonly #watchdogMs: number | undefined;
  readonly #log: () => Logger;
  /** One after another: a READY=1 that overtook its RELOADING=1 would leave the service reloading for ever. */
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  /** @param log asked at each use, because the logger changes with the configuration. */
  constructor(env: ServiceEnvironment, pid: number, log: () => Logger) {
    this.#isThere = env.NOTIFY_SOCKET !== undefined && env.NOTIFY_SOCKET !== '';
    this.#watchdogMs = this.#isThere ? watchdogMs(env, pid) : undefined;
    this.#log = log;
  }

  /** The agent reads: for the first time, or again after a reload. */
  ready(): void {
    this.#tell('READY=1', ...this.#watchdogIn(0));
  }

  /** A new configuration is looked at; {@link ready} ends it. @param drainMs time that the old agent may need to end. */
  reloading(drainMs: number): void {
    this.#tell('RELOADING=1', ...this.#watchdogIn(drainMs));
  }

  stopping(): void {
    this.#tell('STOPPING=1');
  }

  /**
   * Answers the watchdog, where there is one, twice in its time, each time only after `proof` is there. Without the proof
   * nothing is said, and systemd starts the service anew.
   */
  watch(proof: () => Promise<void>): void {
    if (this.#watchdogMs === undefined) return;
    this.#timer = setInterval(async () => {
      await proof();
      this.#tell('WATCHDOG=1');
    }, this.#watchdogMs / 2).unref();
  }

  /** Answers no watchdog any more, and waits until everything that was to be told has been told. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }

  /** Counts the watchdog's time from now, and gives it `extraMs` more until the next of these. */
  #watchdogIn(extraMs: number): string[] {
    if (this.#watchdogMs === undefined) return [];
    return ['WATCHDOG=1', `WATCHDOG_USEC=${Math.round((this.#watchdogMs + extraMs) * USEC_PER_MS)}`];
  }

  #tell(...assignments: string[]): void {
    if (!this.#isThere) return;
    this.#last = this.#last.then(() => this.#send(assignments));
  }

  #send(assignments: string[]): Promise<void> {
    return new Promise((resolve) => {
      execFile('systemd-notify', assignments, { timeout: MESSAGE_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error) => {
        if (error !== null) {
          this.#log().warn({ told: assignments[0], error: describeError(error) }, 'systemd could not be told');
        }
        resolve();
      });
    });
  }
}

/** As sd_watchdog_enabled(3): of another process, or no positive number, is none. */
function watchdogMs({ WATCHDOG_USEC: usec, WATCHDOG_PID: of }: ServiceEnvironment, pid: number): number | undefined {
  if (of !== undefined && Number(of) !== pid) return undefined;
  const ms = Number(usec) / USEC_PER_MS;
  return ms > 0 && Number.isFinite(ms) ? ms : undefined;
}
