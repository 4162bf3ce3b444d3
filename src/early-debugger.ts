import process from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';

const ASKED_FOR = /(^|\s)--inspect(-brk|-wait)?(=|\s|$)/;

/**
 * Takes SIGUSR1 from Node.js, which answers it by opening a debugger: a port through which every user of the host can
 * run code as this process. `--disable-sigusr1` is no way out: the signal stays blocked, and no listener ever gets it.
 */
export function takeSigusr1(): void {
  process.on('SIGUSR1', () => undefined);
}

/**
 * Closes the debugger that a SIGUSR1 opened before {@link takeSigusr1}; one that `--inspect` asked for stays. To be
 * called some milliseconds later, because it is opened by another thread.
 */
export async function closeEarlyDebugger(): Promise<void> {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''];
  if (!process.features.inspector || options.some((option) => ASKED_FOR.test(option))) return;
  const { default: inspector } = await import('node:inspector');
  // The signal is answered in several ways, and the one by the event loop would open the debugger again behind us.
  await turn();
  await turn();
  if (inspector.url() !== undefined) inspector.close();
}
