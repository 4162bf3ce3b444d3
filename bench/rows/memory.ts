import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { auditail } from '../harness/auditail.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import { type Measured, measure } from '../harness/measure.ts';

/** As the apiserver rotates by default from 1.36 on. */
const PART_BYTES = 100e6;

/** The most memory that is resident in a catch-up, by the size of what waits: rotated parts and a live file. */
export const memory: Benchmark = {
  name: 'memory',
  about: 'the most resident memory of a catch-up, by the size of what waits in rotated parts',
  quick: false,
  async run({ extent, inputs, scratch, threads, tell }: Bench): Promise<Outcome> {
    const peaks: { bytes: number; measured: Measured }[] = [];
    for (const bytes of extent.memoryBytes) {
      const log = join(scratch, 'log');
      const work = join(scratch, 'work');
      mkdirSync(log);
      mkdirSync(work);
      const input = await inputs.rotated(log, { bytes, partBytes: PART_BYTES });
      const contender = auditail('auditail', { input, threads, archive: { compress: 'gzip', level: 6 } });
      const measured = await measure(contender.prepare(work));
      await contender.check!(work);
      rmSync(log, { recursive: true });
      rmSync(work, { recursive: true });
      peaks.push({ bytes, measured });
      tell(`${gigabytes(bytes)}: ${megabytes(measured).toFixed(0)} MB, ${measured.seconds.toFixed(1)} s`);
    }
    return {
      figures: [
        {
          id: 'memory',
          what: `resident memory, most over ${extent.memoryBytes.length} input sizes`,
          unit: 'MB',
          measured: Math.max(...peaks.map(({ measured }) => megabytes(measured))),
          target: { atMost: 160 },
          note: peaks
            .map(({ bytes, measured }) => `${gigabytes(bytes)}: ${megabytes(measured).toFixed(0)} MB`)
            .join(', '),
        },
      ],
    };
  },
};

function megabytes({ peakBytes }: Measured): number {
  return peakBytes / 1e6;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(2)} GB`;
}
