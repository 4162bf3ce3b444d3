import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithParent } from '../../test/helpers/children.ts';
import { auditail } from '../harness/auditail.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import type { Figure, Target } from '../harness/figure.ts';
import { speedRatio, takeTurns } from '../harness/take-turns.ts';

const RECEIVER = fileURLToPath(new URL('../harness/discarding-receiver.ts', import.meta.url));

const ARCHIVE = { compress: 'gzip', level: 6 } as const;

/** How fast a waiting log is delivered over HTTP. The receiver shares the cores with the agent. */
export const httpDelivery: Benchmark = {
  name: 'http',
  about: 'a waiting log to a receiver on this machine, as NDJSON and to Elasticsearch, against into files',
  quick: false,
  async run(bench: Bench): Promise<Outcome> {
    const { threads, extent } = bench;
    const input = await bench.inputs.file({ bytes: extent.inputBytes });
    const receiver = spawn(process.execPath, [RECEIVER], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    endWithParent(receiver);
    try {
      const [port] = (await once(receiver, 'message')) as [number];
      const ndjson = { name: 'ndjson', type: 'http', format: 'ndjson', url: `http://127.0.0.1:${port}/lines` };
      const elasticsearch = {
        name: 'elasticsearch',
        type: 'http',
        format: 'elasticsearch',
        url: `http://127.0.0.1:${port}/bulk`,
        index: 'audit-${tag[1..]}-%Y.%m.%d',
      };
      const files = auditail('files', { input, threads, archive: ARCHIVE });
      const others = [
        auditail('NDJSON', { input, threads, sinks: [ndjson] }),
        auditail('Elasticsearch', { input, threads, sinks: [elasticsearch] }),
        auditail('files and NDJSON', { input, threads, archive: ARCHIVE, sinks: [ndjson] }),
        auditail('files and Elasticsearch', { input, threads, archive: ARCHIVE, sinks: [elasticsearch] }),
      ];
      const runs = await takeTurns([files, ...others], { ...bench, rounds: extent.rounds });
      const figures = others.map(({ name }, index): Figure => {
        const target: Target | undefined = index === 0 ? { atLeast: 0.7 } : undefined;
        return {
          id: name.toLowerCase().replaceAll(' ', '-'),
          what: `${name} : files alone`,
          unit: '×',
          ...(target === undefined ? {} : { target }),
          ...speedRatio(runs.get(name)!, runs.get('files')!),
        };
      });
      return { figures, runs: [...runs.values()] };
    } finally {
      const gone = once(receiver, 'exit');
      receiver.kill();
      await gone;
    }
  },
};
