import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveConfig } from '../../test/helpers/agent-process.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import { countingImpossible, Daemon } from '../harness/daemon.ts';
import type { Figure } from '../harness/figure.ts';
import { livingCpu, residentBytes } from '../harness/process-look.ts';

/** What an agent costs that has caught up with a log to which nobody writes. */
export const idle: Benchmark = {
  name: 'idle',
  about: 'CPU, memory and syncs of an agent that has caught up, while nobody writes',
  quick: false,
  async run({ extent, inputs, scratch, tell }: Bench): Promise<Outcome> {
    const input = await inputs.file({ bytes: extent.inputBytes });
    const start = (name: string, countSyncs: boolean): Daemon => {
      const directory = join(scratch, name);
      mkdirSync(directory);
      const log = join(directory, 'audit.log');
      copyFileSync(input.path, log);
      const config = archiveConfig({ state: join(directory, 'state'), log, archive: join(directory, 'archive') });
      return new Daemon({ directory, countSyncs, config });
    };
    // The agent whose syncs are counted is another one than the agent whose CPU is: strace would be part of that.
    const uncounted = countingImpossible();
    await using daemon = start('plain', false);
    await using counted = uncounted === undefined ? start('counted', true) : undefined;
    await Promise.all([daemon.caughtUp(), counted?.caughtUp()]);
    tell(`caught up; resting for ${extent.restSeconds} s, then watched for ${extent.idleSeconds} s`);
    await sleep(extent.restSeconds * 1000);

    const { pid } = daemon.process;
    const [cpu, syncs, started] = [livingCpu(pid!), counted?.syncs(), performance.now()];
    await sleep(extent.idleSeconds * 1000);
    const seconds = (performance.now() - started) / 1000;
    const share = (100 * (livingCpu(pid!) - cpu)) / seconds;
    const syncFigure: Figure = {
      id: 'idle-syncs',
      what: 'idle: syncs',
      unit: 'in all',
      measured: counted === undefined ? undefined : counted.syncs() - syncs!,
      target: { atMost: 0 },
      note: uncounted ?? `in ${seconds.toFixed(0)} s; ${syncs} before`,
    };
    const megabytes = (residentBytes(pid!, 'VmRSS') ?? Number.NaN) / 1e6;
    const after = `after a catch-up with ${(input.bytes / 1e6).toFixed(0)} MB`;
    return {
      figures: [
        figure('idle-cpu', 'idle: CPU', '% of a core', share, 0.3, `over ${seconds.toFixed(0)} s`),
        figure('idle-memory', 'idle: resident memory', 'MB', megabytes, 80, after),
        syncFigure,
      ],
    };
  },
};

function figure(
  id: string,
  what: string,
  unit: Figure['unit'],
  measured: number,
  atMost: number,
  note: string,
): Figure {
  return { id, what, unit, measured, target: { atMost }, note };
}
