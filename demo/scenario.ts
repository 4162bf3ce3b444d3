import { mkdirSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveConfig } from '../test/helpers/agent-process.ts';
import { LineMultiset } from '../test/helpers/line-multiset.ts';
import { AgentUnderFire } from './agent-under-fire.ts';
import { planKills } from './kill-plan.ts';
import type { DemoResult } from './report.ts';
import { count, type Screen, size } from './screen.ts';
import { type Verdict, verify } from './verify.ts';
import { WriterProcess } from './writer-process.ts';

/**
 * 10 MB/s is more than a busy control plane writes; 200,000 events then take half a minute. 40 backups of 4 MiB are a
 * window of 16 s at that rate: ten times what the agent needs to come back, and short enough that the writer deletes a
 * good part of what it wrote before it is done.
 */
const MAX_BYTES_PER_SECOND = 10_000_000;
const MAX_BACKUPS = 40;
const MAX_SIZE_BYTES = 4 * 1024 * 1024;

/** Short demos are written more slowly, in smaller files: the kills and rotations need their time. */
const MIN_WRITE_SECONDS = 8;
const MIN_SIZE_BYTES = 1024 * 1024;
const MIN_ROTATIONS = 50;

const MEAN_EVENT_BYTES = 1500;

/** The events' own times span three hours, so that each namespace gets several hourly files. */
const SPAN_MS = 3 * 3_600_000;

export interface ScenarioOptions {
  /** Empty, and the demo's own. */
  readonly directory: string;
  readonly events: number;
  readonly seed: number;
}

/** Runs the demo: write, kill, restart, drain, read back. @throws Error when a process fails. */
export async function runScenario(options: ScenarioOptions, screen: Screen): Promise<DemoResult> {
  const paths = {
    state: join(options.directory, 'state'),
    log: join(options.directory, 'log', 'audit.log'),
    archive: join(options.directory, 'archive'),
  };
  for (const name of ['state', 'log', 'archive']) mkdirSync(join(options.directory, name), { mode: 0o700 });
  const ledger = join(options.directory, 'ledger');

  const writer = startWriter(options, paths.log, ledger);
  // Defaults, but for a commit every second instead of every five: more different moments to be killed in.
  const agent = new AgentUnderFire({ ...archiveConfig(paths), commit: { interval: '1s' } });
  const seconds = stopwatch();
  const stopWatching = watchProgress(writer, paths.archive, options.events, screen);
  try {
    await agent.survive(writer, planKills(options.seed, options.events), (pid, plan) => {
      const kill = screen.style('yellow', `kill -9 ${pid}`);
      screen.print(`${kill} after ${count(writer.progress.events)} events; starts again in ${plan.awayMs} ms`);
    });
  } finally {
    stopWatching();
  }
  const { events, bytes, rotations, pruned } = writer.progress;
  screen.print(
    `wrote ${count(events)} events, ${size(bytes)}, in ${seconds()} s; ${rotations} rotations, ${pruned} backups ` +
      `pruned; the agent was killed ${agent.kills} times`,
  );

  const drainSeconds = stopwatch();
  await agent.drain();
  screen.print(`drained with run --exit-at-eof in ${drainSeconds()} s`);

  const expected = LineMultiset.fromLedger(ledger);
  const verdict = await readBack(paths.archive, expected, screen);
  return { verdict, written: expected.total, rotations, kills: agent.kills, warnings: agent.warnings };
}

function startWriter(options: ScenarioOptions, path: string, ledger: string): WriterProcess {
  const bytes = options.events * MEAN_EVENT_BYTES;
  return new WriterProcess({
    path,
    ledger,
    events: options.events,
    seed: options.seed,
    spanMs: SPAN_MS,
    bytesPerSecond: Math.min(MAX_BYTES_PER_SECOND, bytes / MIN_WRITE_SECONDS),
    maxSize: Math.max(MIN_SIZE_BYTES, Math.min(MAX_SIZE_BYTES, bytes / MIN_ROTATIONS)),
    maxBackups: MAX_BACKUPS,
  });
}

async function readBack(archive: string, expected: LineMultiset, screen: Screen): Promise<Verdict> {
  const seconds = stopwatch();
  let files = 0;
  let events = 0;
  const verdict = await verify(archive, expected, (file) => {
    files++;
    events += file.events;
    screen.live(() => `${screen.bar(events / expected.total)}reading back: ${count(events)} events in ${files} files`);
  });
  screen.endLive();
  screen.print(`read ${files} files back with an independent inflater in ${seconds()} s`);
  return verdict;
}

/** Shows how far writer and archive are, until the returned function is called. */
function watchProgress(writer: WriterProcess, archive: string, events: number, screen: Screen): () => void {
  let stopped = false;
  const started = performance.now();
  const watch = async (): Promise<void> => {
    while (!stopped) {
      const stored = await sizeOf(archive);
      if (stopped) return;
      const { progress } = writer;
      const rate = `${size((progress.bytes / (performance.now() - started)) * 1000)}/s`;
      screen.live(
        () =>
          `${screen.bar(progress.events / events)}${count(progress.events)} events, ${rate}, ` +
          `${progress.rotations} rotations → archive: ${size(stored.bytes)} in ${stored.files} files`,
      );
      await sleep(screen.isTTY ? 100 : 1000);
    }
  };
  // Only for show: what it might stumble over, the scenario itself reports.
  watch().catch(() => {});
  return () => {
    stopped = true;
    screen.endLive();
  };
}

async function sizeOf(directory: string): Promise<{ files: number; bytes: number }> {
  const names = await readdir(directory);
  let bytes = 0;
  for (const name of names) bytes += (await stat(join(directory, name))).size;
  return { files: names.length, bytes };
}

function stopwatch(): () => string {
  const started = performance.now();
  return () => ((performance.now() - started) / 1000).toFixed(1);
}
