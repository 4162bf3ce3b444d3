import { AgentUnderFire } from '../../demo/agent-under-fire.ts';
import type { PlannedKill } from '../../demo/kill-plan.ts';
import { makePlaces } from '../../demo/places.ts';
import { count, type Screen, size } from '../../demo/screen.ts';
import { type Verdict, verify } from '../../demo/verify.ts';
import { WriterProcess } from '../../demo/writer-process.ts';
import { archiveConfig } from '../../test/helpers/agent-process.ts';
import { LineMultiset } from '../../test/helpers/line-multiset.ts';
import { otherLoad } from '../harness/other-load.ts';
import type { Sample } from './growth.ts';
import { Sampler } from './sampler.ts';

const BYTES_PER_SECOND = 5_000_000;
const MEAN_EVENT_BYTES = 1500;

/** A rotation every four seconds, and a window of more than a minute until a part is pruned. */
const MAX_SIZE_BYTES = 20_000_000;
const MAX_BACKUPS = 20;

/** The events' own time runs faster than the clock, so that an hour, and its files, end every five minutes. */
const HOURS_PER_MINUTE = 0.2;
const HOUR_MS = 3_600_000;

/** In the first quarter; the life after them is the one whose growth is judged. Half of them are upgrades, half crashes. */
const RESTARTS = 6;
const AWAY_MS = 1000;

/** At least this often, and so that a long run has some thousand samples. */
const MAX_SAMPLES = 2000;
const MIN_SAMPLE_MS = 250;

export interface SoakOptions {
  /** The soak's own. */
  readonly directory: string;
  readonly minutes: number;
  readonly seed: number;
}

export interface SoakRun {
  readonly verdict: Verdict;
  readonly samples: readonly Sample[];
  /** From the writer's start to its end. */
  readonly seconds: number;
  readonly writtenBytes: number;
  readonly rotations: number;
  readonly restarts: readonly { readonly seconds: number; readonly how: 'SIGKILL' | 'SIGTERM' }[];
  readonly warnings: readonly string[];
  /** Share of the cores that other work had meanwhile, 0 to 1. An agent that gets no CPU falls behind, and holds what it has yet to read. */
  readonly otherLoad: number;
}

/** Writes, rotates and restarts for so many minutes, and reads the archive back. @throws Error when a process fails. */
export async function runSoak(options: SoakOptions, screen: Screen): Promise<SoakRun> {
  const { directory, minutes, seed } = options;
  const paths = makePlaces(directory);
  const events = Math.ceil((minutes * 60 * BYTES_PER_SECOND) / MEAN_EVENT_BYTES);
  const agent = new AgentUnderFire(archiveConfig(paths));
  const writer = new WriterProcess({
    path: paths.log,
    ledger: paths.ledger,
    events,
    seed,
    spanMs: minutes * HOURS_PER_MINUTE * HOUR_MS,
    bytesPerSecond: BYTES_PER_SECOND,
    maxSize: MAX_SIZE_BYTES,
    maxBackups: MAX_BACKUPS,
  });
  const load = otherLoad();
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const sampler = new Sampler({
    pid: () => agent.pid,
    stateDirectory: paths.state,
    everyMs: Math.max(MIN_SAMPLE_MS, (minutes * 60_000) / MAX_SAMPLES),
    onSample: ({ residentBytes, descriptors }) =>
      screen.live(
        () =>
          `${screen.bar(writer.progress.events / events)}${count(writer.progress.events)} events, ` +
          `${writer.progress.rotations} rotations; agent: ${size(residentBytes)} resident, ${descriptors} descriptors`,
      ),
  });
  const restarts: SoakRun['restarts'][number][] = [];
  let seconds: number;
  try {
    await agent.survive(writer, planRestarts(events), (pid, { gentle }) => {
      restarts.push({ seconds: elapsed(), how: gentle === true ? 'SIGTERM' : 'SIGKILL' });
      screen.print(`${restarts.at(-1)!.how} to ${pid} after ${count(writer.progress.events)} events`);
    });
    seconds = elapsed();
  } finally {
    screen.endLive();
    await sampler.end();
  }
  const { bytes, rotations } = writer.progress;
  screen.print(`wrote ${count(events)} events, ${size(bytes)}, in ${seconds.toFixed(0)} s; ${rotations} rotations`);
  await agent.drain();
  const share = load();
  const verdict = await readBack(paths.archive, paths.ledger, screen);
  return {
    verdict,
    samples: sampler.samples,
    seconds,
    writtenBytes: bytes,
    rotations,
    restarts,
    warnings: agent.warnings,
    otherLoad: share,
  };
}

function planRestarts(events: number): PlannedKill[] {
  return Array.from({ length: RESTARTS }, (_, i) => ({
    atEvents: Math.ceil((events * 0.24 * (i + 1)) / RESTARTS),
    delayMs: 0,
    awayMs: AWAY_MS,
    gentle: i % 2 === 1,
  }));
}

async function readBack(archive: string, ledger: string, screen: Screen): Promise<Verdict> {
  const expected = LineMultiset.fromLedger(ledger);
  let events = 0;
  const verdict = await verify(archive, expected, (file) => {
    events += file.events;
    screen.live(() => `${screen.bar(events / expected.total)}reading back: ${count(events)} events`);
  });
  screen.endLive();
  return verdict;
}
