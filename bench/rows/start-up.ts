import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveConfig } from '../../test/helpers/agent-process.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import { Daemon } from '../harness/daemon.ts';
import { median } from '../harness/statistics.ts';

const STARTS_PER_ROUND = 2;

/** How long a restart leaves the log unread. */
export const startUp: Benchmark = {
  name: 'start-up',
  about: 'the time from the start of the process until it reads',
  quick: false,
  async run({ extent, scratch }: Bench): Promise<Outcome> {
    const seconds: number[] = [];
    for (let start = 0; start < extent.rounds * STARTS_PER_ROUND; start++) {
      const directory = join(scratch, 'start');
      mkdirSync(directory);
      const log = join(directory, 'audit.log');
      writeFileSync(log, '');
      const config = archiveConfig({ state: join(directory, 'state'), log, archive: join(directory, 'archive') });
      const started = performance.now();
      await using daemon = new Daemon({ directory, config });
      await daemon.ready();
      seconds.push((performance.now() - started) / 1000);
      await daemon.process.stop();
      rmSync(directory, { recursive: true });
    }
    return {
      figures: [
        {
          id: 'start-up',
          what: 'start-up, until /readyz says that it reads',
          unit: 'ms',
          measured: median(seconds) * 1000,
          note: `median of ${seconds.length} starts, least ${(Math.min(...seconds) * 1000).toFixed(0)} ms`,
        },
      ],
    };
  },
};
