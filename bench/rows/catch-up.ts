import { auditail } from '../harness/auditail.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import type { Contender } from '../harness/contender.ts';
import type { Figure, Target } from '../harness/figure.ts';
import { jq, pigz, zstd } from '../harness/references.ts';
import { rsyslog } from '../harness/rsyslog.ts';
import { median } from '../harness/statistics.ts';
import { type Runs, speedRatio, takeTurns } from '../harness/take-turns.ts';

/** How fast a log that waits is caught up with into files, against programs that do a part of it or the same. */
export const catchUp: Benchmark = {
  name: 'catch-up',
  about: 'a waiting log into files, with gzip 6, gzip 1 and zstd 1, against pigz, zstd, rsyslog and jq',
  quick: true,
  async run(bench: Bench): Promise<Outcome> {
    const { extent, threads } = bench;
    const input = await bench.inputs.file({ bytes: extent.catchUpBytes });
    const archive = (compress: 'gzip' | 'zstd', level: number): Contender =>
      auditail(`auditail ${compress} ${level}`, { input, threads, archive: { compress, level } });
    const [gzip6, gzip1, zstd1] = [archive('gzip', 6), archive('gzip', 1), archive('zstd', 1)];
    const [pigz6, pigz1] = [pigz(6, input, threads), pigz(1, input, threads)];
    const zstdAlone = zstd(1, input, threads);
    const sameJob = rsyslog(6, input, threads);
    const parser = extent.allReferences ? [jq(input)] : [];

    const runs = await takeTurns([gzip6, pigz6, gzip1, pigz1, zstd1, zstdAlone, sameJob, ...parser], {
      ...bench,
      rounds: extent.rounds,
    });
    const ratio = (id: string, ours: Contender, other: Contender, target?: Target): Figure => ({
      id,
      what: `${ours.name.replace('auditail', 'catch-up with')} : ${other.name}`,
      unit: '×',
      ...(target === undefined ? {} : { target }),
      ...compare(runs.get(ours.name)!, runs.get(other.name), other),
    });
    const best = runs.get(gzip6.name)!;
    return {
      figures: [
        ratio('gzip-6', gzip6, pigz6, { atLeast: 1 }),
        ratio('gzip-1', gzip1, pigz1, { atLeast: 0.65 }),
        ratio('zstd-1', zstd1, gzip6, { atLeast: 1.8 }),
        ratio('rsyslog', gzip6, sameJob, { atLeast: 3.5 }),
        ratio('zstd-1-alone', zstd1, zstdAlone),
        ...parser.map((reference) => ratio('jq', gzip6, reference)),
        {
          id: 'speed',
          what: 'speed of catch-up with gzip 6',
          unit: 'MB/s',
          measured: input.bytes / 1e6 / median(best.seconds),
          note: `${(input.bytes / 1e6).toFixed(0)} MB, ${threads} threads, ${median(best.cpuSeconds).toFixed(2)} s of CPU`,
        },
      ],
      inputBytes: extent.catchUpBytes,
      runs: [...runs.values()],
    };
  },
};

function compare(ours: Runs, other: Runs | undefined, reference: Contender): Pick<Figure, 'measured' | 'note'> {
  if (other === undefined) return { measured: undefined, note: reference.missing ?? 'it did not run' };
  return speedRatio(ours, other);
}
