import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WriterProcess } from '../../demo/writer-process.ts';
import { archiveConfig } from '../../test/helpers/agent-process.ts';
import { ArchiveWatch } from '../harness/archive-watch.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import { countingImpossible, Daemon } from '../harness/daemon.ts';
import { livingCpu } from '../harness/process-look.ts';
import { quantile } from '../harness/statistics.ts';

const BYTES_PER_SECOND = 5_000_000;
const MEAN_EVENT_BYTES = 1500;

/** The default of `commit.interval`, which the agents here run with. */
const COMMIT_INTERVAL_MS = 5000;

/** How long the agent is watched before there is load. */
const BEFORE_SECONDS = 5;

const PART_BYTES = 20_000_000;
const MAX_BACKUPS = 40;

/** What an agent costs, and how late it is, while the apiserver writes as much as a large cluster makes. */
export const steady: Benchmark = {
  name: 'steady',
  about: 'CPU, time from append to archive, and syncs, while 5 MB/s are written and rotated',
  quick: false,
  async run(bench: Bench): Promise<Outcome> {
    const seconds = bench.extent.steadySeconds;
    const { cpu, idleCpu, latencies } = await watched(bench);
    const uncounted = countingImpossible();
    const syncs = uncounted === undefined ? await countedSyncs(bench) : undefined;
    const share = 100 * (cpu / seconds - idleCpu / BEFORE_SECONDS);
    const late = (part: number): number => quantile([...latencies], part) / 1000;
    return {
      figures: [
        {
          id: 'steady-cpu',
          what: 'steady 5 MB/s: CPU above idle',
          unit: '% of a core',
          measured: share,
          target: { atMost: 10 },
          note: `${cpu.toFixed(2)} s of CPU in ${seconds} s; idle ${((100 * idleCpu) / BEFORE_SECONDS).toFixed(2)} %`,
        },
        {
          id: 'steady-p99',
          what: 'steady 5 MB/s: append to archive, p99',
          unit: 's',
          measured: late(0.99),
          target: { atMost: (2 * COMMIT_INTERVAL_MS) / 1000 },
          note: `p50 ${late(0.5).toFixed(2)} s, most ${late(1).toFixed(2)} s, ${latencies.length} lines`,
        },
        {
          id: 'steady-syncs',
          what: 'steady 5 MB/s: syncs',
          unit: 'a second',
          measured: syncs === undefined ? undefined : syncs / seconds,
          note:
            uncounted ??
            `${syncs} in ${seconds} s, with a commit each ${COMMIT_INTERVAL_MS / 1000} s and after a rotation`,
        },
      ],
    };
  },
};

interface Place {
  readonly directory: string;
  readonly log: string;
  readonly archive: string;
  readonly config: Record<string, unknown>;
}

function place({ scratch }: Bench, name: string): Place {
  const directory = join(scratch, name);
  mkdirSync(join(directory, 'log'), { recursive: true });
  const log = join(directory, 'log', 'audit.log');
  // An agent that finds no log says that it is not ready.
  writeFileSync(log, '');
  const archive = join(directory, 'archive');
  return { directory, log, archive, config: archiveConfig({ state: join(directory, 'state'), log, archive }) };
}

function startWriter({ extent }: Bench, { directory, log }: Place): WriterProcess {
  return new WriterProcess({
    path: log,
    ledger: join(directory, 'ledger'),
    times: join(directory, 'times'),
    events: Math.ceil((extent.steadySeconds * BYTES_PER_SECOND) / MEAN_EVENT_BYTES),
    seed: 1,
    spanMs: extent.steadySeconds * 1000,
    bytesPerSecond: BYTES_PER_SECOND,
    maxSize: PART_BYTES,
    maxBackups: MAX_BACKUPS,
  });
}

/** CPU in seconds, until everything is in the archive, and the milliseconds that each line took. */
async function watched(bench: Bench): Promise<{ cpu: number; idleCpu: number; latencies: Float64Array }> {
  const paths = place(bench, 'watched');
  await using daemon = new Daemon(paths);
  await daemon.ready();
  const pid = daemon.process.pid!;
  await sleep(bench.extent.restSeconds * 1000);
  const before = livingCpu(pid);
  await sleep(BEFORE_SECONDS * 1000);
  const idleCpu = livingCpu(pid) - before;

  const watch = new ArchiveWatch(paths.archive);
  const started = livingCpu(pid);
  const writer = startWriter(bench, paths);
  await writer.done;
  await daemon.caughtUp();
  const cpu = livingCpu(pid) - started;
  return {
    cpu,
    idleCpu,
    latencies: await watch.latencies(join(paths.directory, 'ledger'), join(paths.directory, 'times')),
  };
}

/** In a run of its own: strace costs the agent some speed. */
async function countedSyncs(bench: Bench): Promise<number> {
  const paths = place(bench, 'counted');
  await using daemon = new Daemon({ ...paths, countSyncs: true });
  await daemon.ready();
  const before = daemon.syncs();
  await startWriter(bench, paths).done;
  await daemon.caughtUp();
  return daemon.syncs() - before;
}
