import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

const living = new Set<ChildProcess>();
const directories = new Set<string>();
let installed = false;

/** Makes sure that a child process does not outlive this one, whichever way this one ends (but for SIGKILL). */
export function endWithParent(child: ChildProcess): void {
  installHandlers();
  living.add(child);
  child.once('exit', () => living.delete(child));
}

/** Makes sure that a directory does not outlive this process. */
export function removeWithParent(directory: string): void {
  installHandlers();
  directories.add(directory);
}

/** Removes such a directory now. */
export function removeNow(directory: string): void {
  directories.delete(directory);
  // A child that was just killed may be in the middle of its last write.
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Children first: they would go on writing. Killed by their handles, so that a reused process id is never hit. */
function cleanUp(): void {
  for (const child of living) child.kill('SIGKILL');
  for (const directory of directories) removeNow(directory);
}

function installHandlers(): void {
  if (installed) return;
  installed = true;
  process.on('exit', cleanUp);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // A program with handlers of its own ends through them, and then through 'exit'.
    if (process.listenerCount(signal) > 0) continue;
    process.once(signal, () => {
      cleanUp();
      process.kill(process.pid, signal);
    });
  }
}
