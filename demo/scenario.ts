import { join } from 'node:path';
import { archiveConfig } from '../test/helpers/agent-process.ts';
import { LineMultiset } from '../test/helpers/line-multiset.ts';
import { AgentUnderFire } from './agent-under-fire.ts';
import { CONDITION_PLANS } from './condition-plan.ts';
import { listDeadLetters } from './dead-letters.ts';
import { DemoReceiver, type ReceiverName } from './demo-receiver.ts';
import { planKills } from './kill-plan.ts';
import { makePlaces, type Places } from './places.ts';
import { describeCondition, receiverProgress, watch, writerProgress } from './progress.ts';
import type { DemoResult } from './report.ts';
import { count, type Screen, size } from './screen.ts';
import { type Verdict, verify } from './verify.ts';
import { WriterProcess } from './writer-process.ts';

/** 10 MB/s is more than a busy control plane writes; 200,000 events then take half a minute. */
const MAX_BYTES_PER_SECOND = 10_000_000;

/**
 * Until a backup is deleted: ten times what the agent needs to come back, or as much as it needs on cores that a dozen others
 * want, and short enough that the writer of a long demo deletes a good part of what it wrote before it is done.
 */
const WINDOW_SECONDS = 16;

/** With receivers, which share two cores with writer and agent, and failures that take time, half of that. */
const MAX_BYTES_PER_SECOND_WITH_HTTP = 5_000_000;
const MAX_SIZE_BYTES = 4 * 1024 * 1024;

/** Short demos are written more slowly, in smaller files: the kills and rotations need their time. */
const MIN_WRITE_SECONDS = 8;
const MIN_WRITE_SECONDS_WITH_HTTP = 12;
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
  /** Also sends to receivers that fail. */
  readonly http: boolean;
}

/** Runs the demo: write, kill, restart, drain, read back. @throws Error when a process or a receiver fails. */
export async function runScenario(options: ScenarioOptions, screen: Screen): Promise<DemoResult> {
  const { directory, events, seed } = options;
  const paths = makePlaces(directory);

  const receivers = options.http ? await startReceivers(seed) : [];
  const config = agentConfig(paths, receivers);
  const agent = new AgentUnderFire(config);
  const writer = startWriter(options, paths);
  const seconds = stopwatch();
  const stopWatching = watch(screen, [
    writerProgress(screen, { writer, archive: paths.archive, events }),
    ...receivers.map((receiver) => receiverProgress(screen, receiver, paths.state)),
  ]);
  try {
    await Promise.all([
      agent.survive(writer, planKills(seed, events), (pid, plan) => {
        const kill = screen.style('yellow', `kill -9 ${pid}`);
        screen.print(`${kill} after ${count(writer.progress.events)} events; starts again in ${plan.awayMs} ms`);
      }),
      ...receivers.map((receiver) =>
        receiver.followPlan(writer, events, () => {
          const now = describeCondition(screen, receiver.condition);
          screen.print(`${receiver.name} after ${count(writer.progress.events)} events: ${now}`);
        }),
      ),
    ]);
  } finally {
    stopWatching();
  }
  const { bytes, rotations, pruned } = writer.progress;
  screen.print(
    `wrote ${count(writer.progress.events)} events, ${size(bytes)}, in ${seconds()} s; ${rotations} rotations, ` +
      `${pruned} backups pruned; the agent was killed ${agent.kills} times`,
  );

  await drain(agent, receivers, paths.state, screen);
  const expected = LineMultiset.fromLedger(paths.ledger);
  const delivery = options.http
    ? {
        receivers: await Promise.all(receivers.map((receiver) => receiver.finish(expected))),
        deadLetters: await listDeadLetters(config, join(directory, 'auditail.yaml')),
      }
    : undefined;
  const verdict = await readBack(paths.archive, expected, screen);
  return { verdict, written: expected.total, rotations, kills: agent.kills, warnings: agent.warnings, delivery };
}

async function startReceivers(seed: number): Promise<DemoReceiver[]> {
  const names = Object.keys(CONDITION_PLANS) as ReceiverName[];
  return Promise.all(names.map((name, i) => DemoReceiver.start(name, seed + i)));
}

/** Defaults, but for a commit every second instead of every five: more different moments to be killed in. */
function agentConfig(paths: Parameters<typeof archiveConfig>[0], receivers: readonly DemoReceiver[]) {
  const config = archiveConfig(paths);
  const archives = config.sinks as readonly object[];
  return {
    ...config,
    sinks: [...archives, ...receivers.map(({ sinkConfig }) => sinkConfig)],
    commit: { interval: '1s' },
  };
}

/** Reads, and delivers, what is left. */
async function drain(
  agent: AgentUnderFire,
  receivers: readonly DemoReceiver[],
  state: string,
  screen: Screen,
): Promise<void> {
  const seconds = stopwatch();
  const looks = receivers.map((receiver) => receiverProgress(screen, receiver, state));
  const stopWatching = watch(screen, looks);
  try {
    await agent.drain();
  } finally {
    stopWatching();
  }
  screen.print(`drained with run --exit-at-eof in ${seconds()} s`);
}

function startWriter(options: ScenarioOptions, { log, ledger }: Places): WriterProcess {
  const bytes = options.events * MEAN_EVENT_BYTES;
  const maxSize = Math.max(MIN_SIZE_BYTES, Math.min(MAX_SIZE_BYTES, bytes / MIN_ROTATIONS));
  const [maxRate, minSeconds] = options.http
    ? [MAX_BYTES_PER_SECOND_WITH_HTTP, MIN_WRITE_SECONDS_WITH_HTTP]
    : [MAX_BYTES_PER_SECOND, MIN_WRITE_SECONDS];
  const bytesPerSecond = Math.min(maxRate, bytes / minSeconds);
  return new WriterProcess({
    path: log,
    ledger,
    events: options.events,
    seed: options.seed,
    spanMs: SPAN_MS,
    bytesPerSecond,
    maxSize,
    maxBackups: Math.ceil((WINDOW_SECONDS * bytesPerSecond) / maxSize),
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

function stopwatch(): () => string {
  const started = performance.now();
  return () => ((performance.now() - started) / 1000).toFixed(1);
}
