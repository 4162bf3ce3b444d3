import { appendFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../bench/random.ts';
import { hashLine } from '../test/helpers/line-multiset.ts';
import { brokenConfig, SECRET } from './agent-config.ts';
import { AgentLives } from './agent-lives.ts';
import { performAgentStep } from './agent-nemesis.ts';
import { ArchiveThief } from './archive-thief.ts';
import { type CheckResult, check, type SinkEvidence, type ToldLetter } from './check/check.ts';
import type { ToldGap } from './check/gaps.ts';
import { checkUsage, type UsageResult } from './check/usage.ts';
import { Violations } from './check/violation.ts';
import { heal } from './heal.ts';
import { HostNemesis } from './host-nemesis.ts';
import { LineMaker } from './line-maker.ts';
import { LogModel } from './log-model.ts';
import { finishFragment, performLogStep } from './log-nemesis.ts';
import type { Plan, Timed } from './plan.ts';
import { TortureScene } from './scene.ts';
import { FaultTally } from './tally.ts';
import { TorturedLog } from './tortured-log.ts';

const TICK_MS = 20;
/** 600 lines a second on average, some ticks without any. */
const MAX_LINES_A_TICK = 24;

export interface RoundResult extends CheckResult, UsageResult {
  readonly plan: Plan;
  readonly lines: number;
  readonly starts: number;
  readonly gaps: number;
  /** For how long the agent was seen at its work. */
  readonly awakeMs: number;
  readonly tally: FaultTally;
  readonly violations: Violations;
  /** Where everything lies; undefined when it was removed, since nothing was wrong. */
  readonly directory: string | undefined;
}

export interface RoundOptions {
  /** Keeps the directory, whatever the result. */
  readonly keep: boolean;
  print(text: string): void;
}

/** Tortures one agent as planned, heals everything, and checks. @throws Error when the torture itself fails. */
export async function runRound(plan: Plan, { keep, print }: RoundOptions): Promise<RoundResult> {
  const scene = await TortureScene.create(plan);
  let keeps = true;
  try {
    const result = await torture(plan, scene, print);
    keeps = keep || result.violations.total > 0;
    return { ...result, directory: keeps ? scene.directory : undefined };
  } finally {
    await scene.close({ keep: keeps });
  }
}

async function torture(plan: Plan, scene: TortureScene, print: RoundOptions['print']): Promise<RoundResult> {
  const violations = new Violations();
  const tally = new FaultTally();
  const model = new LogModel(Date.now);
  const log = new TorturedLog(scene.directory, model);
  const lines = new LineMaker(plan.seed);
  let host: HostNemesis | undefined;
  const lives = new AgentLives({
    ...{ model, socket: scene.paths.socket, env: scene.faults?.env ?? {} },
    directories: [dirname(scene.paths.log), scene.paths.archive],
    logFile: join(scene.directory, 'agent.log'),
    config: () => scene.config,
    hostFailedSince: (ms) => host?.failedSince(ms) === true,
    violation: (rule, text) => violations.add(rule, text),
  });
  const store = scene.subdirectory('taken');
  const thief = new ArchiveThief({ archive: scene.paths.archive, store, lives, socket: scene.paths.socket });
  host = new HostNemesis({ scene, thief, tally });
  const deps = { log, lines, tally, lives, probe: () => lives.probe(), catchUp: () => lives.catchUp() };

  const begun = Date.now();
  const ended = new AbortController();
  const note = noteSteps(join(scene.directory, 'steps.log'));
  lives.start();
  const background = [lives.watch(ended.signal), writeOn(deps, plan.seed, ended.signal)];
  const follow = <Step extends object>(steps: readonly Timed<Step>[], act: (step: Step) => Promise<void>) =>
    followTrack(steps, begun, async (step) => {
      note(step);
      await act(step);
    });
  const change = (variant: number) => {
    scene.variant = variant;
    return scene.config;
  };
  const broken = (variant: number) => brokenConfig(scene.options, variant);
  const tracks = Promise.all([
    follow(plan.log, (step) => performLogStep(step, deps)),
    follow(plan.agent, (step) => performAgentStep(step, { lives, tally, change, broken })),
    follow(plan.host, (step) => host.perform(step)),
    ...(['elasticsearch', 'ndjson'] as const).map((name) =>
      follow(plan[name], async (step) => {
        await scene.receivers[name].become(step);
        tally.count(`${name}: ${step.condition}`);
      }),
    ),
  ]);
  // Whichever fails ends the round.
  await Promise.race([tracks, Promise.all(background)]);
  ended.abort();
  await Promise.all(background);
  finishFragment(deps);
  print(`wrote ${model.lines.length} lines into ${model.parts.length} files; ${lives.starts} starts. Healing`);
  await heal({ scene, lives, log, lines, violations, minutes: plan.minutes });

  const offsets = await scene.command(['offsets', 'list', '--all', '--json']);
  const { sources } = JSON.parse(offsets) as { sources: { gaps: ToldGap[] }[] };
  const gaps = sources.flatMap((source) => source.gaps);
  const evidence = {
    ...{ model, archive: scene.paths.archive, thefts: thief.thefts, foreign: thief.foreign, gaps },
    timeline: lives.timeline,
    sinks: await sinkEvidence(scene),
    outputs: new Map([...scene.outputs, ['agent.log', scene.readText('agent.log')]]),
    secret: SECRET,
  };
  const result = await check(evidence, violations);
  const usage = checkUsage(lives.usages, violations);
  writeFileSync(join(scene.directory, 'usages.json'), lives.usages.map((look) => `${JSON.stringify(look)}\n`).join(''));
  for (const name of ['elasticsearch', 'ndjson'] as const) {
    for (const [act, times] of scene.receivers[name].acts) tally.count(`${name} (requests): ${act}`, times);
  }
  if (violations.total > 0) writeParts(join(scene.directory, 'parts.json'), model);
  const counts = {
    lines: model.lines.length,
    starts: lives.starts,
    gaps: gaps.length,
    awakeMs: lives.timeline.awakeMs(begun, Date.now()),
  };
  return { plan, ...result, ...counts, ...usage, tally, violations, directory: undefined };
}

/** What became of each file, one a line. */
function writeParts(file: string, { parts }: LogModel): void {
  const lines = parts.map((part) => {
    const { id, paths, size, firstTime, loss, seenSize, seenInLife } = part;
    const names = [...paths].map((path) => basename(path));
    const times = { firstTime: firstTime && new Date(firstTime).toISOString(), lost: loss && new Date(loss.atMs) };
    return JSON.stringify({
      id,
      names,
      lines: part.places.length,
      size,
      ...times,
      how: loss?.how,
      seenSize,
      seenInLife,
    });
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/** Keeps when each step began, to be looked at after a violation. */
function noteSteps(file: string): (step: object) => void {
  return (step) => appendFileSync(file, `${new Date().toISOString()} ${JSON.stringify(step)}\n`);
}

/** Writes at its own pace until the signal aborts. */
async function writeOn(deps: { log: TorturedLog; lines: LineMaker }, seed: number, signal: AbortSignal): Promise<void> {
  const random = new Random(seed + 1);
  while (!signal.aborted) {
    await sleep(TICK_MS);
    deps.log.write(Array.from({ length: random.below(MAX_LINES_A_TICK) }, () => deps.lines.event()));
  }
}

/** Does the steps one after the other, none before its time. */
async function followTrack<Step extends object>(
  steps: readonly Timed<Step>[],
  begunMs: number,
  act: (step: Step) => Promise<void>,
): Promise<void> {
  for (const step of steps) {
    await sleep(Math.max(0, begunMs + step.atMs - Date.now()));
    await act(step);
  }
}

async function sinkEvidence(scene: TortureScene): Promise<SinkEvidence[]> {
  const listed = await scene.command(['deadletter', 'list', '--json']);
  const letters = listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ToldLetter);
  const hashesOf = (name: string) =>
    new Set(
      letters.flatMap(({ sink, raw }) => (sink === name && raw !== undefined ? hashLine(raw).toString('hex') : [])),
    );
  return [
    { name: 'es', stored: scene.stores.elasticsearch.stored, letters: hashesOf('es'), isExactlyOnce: true },
    { name: 'hook', stored: scene.stores.ndjson.stored, letters: hashesOf('hook'), isExactlyOnce: false },
  ];
}
