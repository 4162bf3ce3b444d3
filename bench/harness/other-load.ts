import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { endedChildrenCpu, TICK_SECONDS } from './process-look.ts';

/** From this share of the cores on, other work makes figures doubtful. */
export const DISTURBING_LOAD = 0.1;

/**
 * The share of the cores (0 to 1) that others have from now on until it is asked for: neither this process nor its children.
 * Children count once they have ended.
 */
export function otherLoad(): () => number {
  const [machineBefore, ownBefore, started] = [machineCpu(), ownCpu(), performance.now()];
  return () => {
    const seconds = ((performance.now() - started) / 1000) * availableParallelism();
    return Math.max(0, (machineCpu() - machineBefore - (ownCpu() - ownBefore)) / seconds);
  };
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + endedChildrenCpu();
}

/** CPU that everything on this machine has used since it started, seconds. */
function machineCpu(): number {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) * TICK_SECONDS;
}
