import type { ChildProcess } from 'node:child_process';

const living = new Set<ChildProcess>();

/** Makes sure that a child process does not outlive this one, whichever way this one ends (but for SIGKILL). */
export function endWithParent(child: ChildProcess): void {
  installHandlers();
  living.add(child);
  child.once('exit', () => living.delete(child));
}

/** Kills every child that is still alive; by its handle, so that a reused process id is never hit. */
export function killChildren(): void {
  for (const child of living) child.kill('SIGKILL');
}

let installed = false;

function installHandlers(): void {
  if (installed) return;
  installed = true;
  process.on('exit', killChildren);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // A program with handlers of its own ends through them, and then through 'exit'.
    if (process.listenerCount(signal) > 0) continue;
    process.once(signal, () => {
      killChildren();
      process.kill(process.pid, signal);
    });
  }
}
