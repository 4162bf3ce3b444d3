import { auditail } from '../harness/auditail.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import type { Figure } from '../harness/figure.ts';
import { median } from '../harness/statistics.ts';
import { speedRatio, takeTurns } from '../harness/take-turns.ts';

const USUAL = 30;
const COUNTS = [1, USUAL, 1000] as const;

/** What many namespaces cost: files, dictionaries, small blocks. */
export const namespaces: Benchmark = {
  name: 'namespaces',
  about: 'the time of a catch-up by the number of namespaces: 1, 30 and 1000',
  quick: false,
  async run(bench: Bench): Promise<Outcome> {
    const contenders = [];
    for (const count of COUNTS) {
      const input = await bench.inputs.file({ bytes: bench.extent.inputBytes, namespaces: count });
      contenders.push(
        auditail(nameOf(count), { input, threads: bench.threads, archive: { compress: 'gzip', level: 6 } }),
      );
    }
    const runs = await takeTurns(contenders, { ...bench, rounds: bench.extent.rounds });
    const seconds = (count: number): number => median(runs.get(nameOf(count))!.seconds);
    const figure = (count: number): Figure => ({
      id: `namespaces-${count}`,
      what: `time for ${nameOf(count)} : for ${USUAL}`,
      unit: '×',
      // How many times as fast the usual number is, is how many times as long the other one takes.
      measured: speedRatio(runs.get(nameOf(USUAL))!, runs.get(nameOf(count))!).measured,
      note: `${seconds(count).toFixed(2)} s, ${seconds(USUAL).toFixed(2)} s`,
    });
    return { figures: [{ ...figure(1000), target: { atMost: 1.5 } }, figure(1)], runs: [...runs.values()] };
  },
};

function nameOf(count: number): string {
  return count === 1 ? '1 namespace' : `${count} namespaces`;
}
