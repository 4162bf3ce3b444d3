import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveFiles } from '../../test/helpers/archive-reader.ts';
import { endWithParent } from '../../test/helpers/children.ts';
import { endedChildrenCpu, residentBytes } from './process-look.ts';

/** How often a process is looked at while it runs. A look takes some 50 µs. */
const LOOK_MS = 20;

const MAX_ERROR_TEXT = 4000;

/** A run of one program, from its start until what it wrote is on the disk. */
export interface Measured {
  readonly seconds: number;
  /** User and system, with its own children's. */
  readonly cpuSeconds: number;
  /** The most memory that was resident (VmHWM), as seen at most {@link LOOK_MS} before the end. */
  readonly peakBytes: number;
}

export interface Run {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A file that takes stdout. Default: /dev/null. */
  readonly stdout?: string;
  /** Synced after the end, as part of the time: for programs that do not sync what they write. All files below it. */
  readonly syncDirectory?: string;
  /** For a program that does not end by itself: it gets SIGTERM as soon as this is true. */
  readonly stopWhen?: (pid: number) => boolean;
}

/** Runs a program to its end. @throws Error with what it wrote to stderr when it fails. */
export async function measure(run: Run): Promise<Measured> {
  const [program, ...args] = run.command;
  const stdout = openSync(run.stdout ?? '/dev/null', 'w');
  const cpuBefore = endedChildrenCpu();
  const started = performance.now();
  const child = spawn(program!, args, {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, ...run.env },
  });
  endWithParent(child);
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors = `${errors}${text}`.slice(-MAX_ERROR_TEXT);
  });
  let over = false;
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code));
  }).finally(() => {
    over = true;
  });

  let peakBytes = 0;
  let stopped = false;
  const look = async (): Promise<void> => {
    while (!over && child.pid !== undefined) {
      peakBytes = Math.max(peakBytes, residentBytes(child.pid, 'VmHWM') ?? 0);
      if (!stopped && run.stopWhen?.(child.pid) === true) {
        stopped = true;
        child.kill('SIGTERM');
      }
      await Promise.race([sleep(LOOK_MS), ended]);
    }
  };
  try {
    const [exit] = await Promise.all([ended, look()]);
    if (exit !== 0) throw new Error(`${run.command.join(' ')} failed (${exit}): ${errors.trim() || 'no message'}`);
    if (run.stdout !== undefined) fsyncSync(stdout);
    if (run.syncDirectory !== undefined) await syncFiles(run.syncDirectory);
    return {
      seconds: (performance.now() - started) / 1000,
      cpuSeconds: endedChildrenCpu() - cpuBefore,
      peakBytes,
    };
  } finally {
    closeSync(stdout);
  }
}

async function syncFiles(directory: string): Promise<void> {
  for (const file of await archiveFiles(directory)) {
    const fd = openSync(join(directory, file), 'r+');
    fsyncSync(fd);
    closeSync(fd);
  }
}
