import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentStatus } from '../src/admin/agent-status.ts';
import { AgentProcess } from '../test/helpers/agent-process.ts';
import { archiveFiles, readLines } from '../test/helpers/archive-reader.ts';
import type { AgentLives } from './agent-lives.ts';
import type { Violations } from './check/violation.ts';
import type { LineMaker } from './line-maker.ts';
import { askStatus } from './probe.ts';
import type { TortureScene } from './scene.ts';
import type { TorturedLog } from './tortured-log.ts';

/** To read and deliver what is left. */
const DRAIN_MS = 180_000;

/** The commit's interval is a second at most, and the longest pause after failures half a minute. */
const AT_WORK_MS = 60_000;
const LOOK_MS = 250;

/** For an agent with nothing to do to come to rest. */
const REST_MS = 2000;

/**
 * How often the healed agent is given work, and let come to rest: so often that it can be told whether its descriptors grow,
 * and, in a round that is not to be short, whether its memory does.
 */
const WORKS = 18;
const WORKS_FOR_MEMORY = 66;
const LONG_ROUND_MINUTES = 1;
const LINES_OF_A_WORK = 1000;
const KEPT_BACKUPS = 5;
/** So short that moments of rest are as many as there is work. */
const LOOK_FOR_REST_MS = 50;
const LEAST_WORK_MS = 300;

/** When the last line is there, and not committed yet. */
const STEP_AFTER_MS = 60;
const STEP_BACK_MS = 3_600_000;

export interface HealedWorld {
  readonly scene: TortureScene;
  readonly lives: AgentLives;
  readonly log: TorturedLog;
  readonly lines: LineMaker;
  readonly violations: Violations;
  /** Of the round. */
  readonly minutes: number;
}

/**
 * Mends everything: the agent has to go on by itself. Then it is ended, and another one reads to the end
 * (`run --exit-at-eof`) and starts once more.
 */
export async function heal(world: HealedWorld): Promise<void> {
  const { scene, lives, violations, log } = world;
  await scene.receivers.elasticsearch.heal();
  await scene.receivers.ndjson.heal();
  await lives.ensureStarted();
  await expectWork(world);
  await workAndRest(world);
  scene.faults?.setClock(0);
  log.close();
  await lives.stop();
  await readToEnd(scene, violations);
  // And once more as a service: what is archived already stays as it is.
  lives.start();
  await lives.ensureStarted();
  await sleep(REST_MS);
  await lives.probe();
  await scene.command(['status', '--json'], { codes: [0, 1] });
  await scene.command(['check'], { codes: [0, 1] });
  await lives.stop();
}

/** A line that is written now is archived soon, and the sinks catch up, though the clock is stepped once more. */
async function expectWork({ scene, lives, log, lines, violations }: HealedWorld): Promise<void> {
  const marker = lines.event();
  log.write([marker]);
  await sleep(STEP_AFTER_MS);
  scene.faults?.setClock(scene.clockMs - STEP_BACK_MS);
  const end = Date.now() + AT_WORK_MS;
  const becomes = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) {
      if (Date.now() > end) return violations.add('goes on by itself', `${what}: not within ${AT_WORK_MS} ms`);
      await sleep(LOOK_MS);
    }
  };
  await becomes('a line that was written after everything was mended is archived', () =>
    isArchived(scene.paths.archive, marker.bytes),
  );
  let last: AgentStatus | undefined;
  await becomes('every sink has caught up (status.json has the last look)', async () => {
    last = await askStatus(scene.paths.socket);
    return last?.pid === lives.pid && last!.sources.every(({ lag }) => lag.every(({ bytes }) => bytes === 0));
  });
  writeFileSync(join(scene.directory, 'status.json'), JSON.stringify(last, undefined, 1) ?? 'no answer');
}

/** Work of the same size again and again, with rotations: at rest in between the agent has to be as large as before. */
async function workAndRest({ lives, log, lines, violations, minutes }: HealedWorld): Promise<void> {
  const works = minutes < LONG_ROUND_MINUTES ? WORKS : WORKS_FOR_MEMORY;
  const end = Date.now() + (AT_WORK_MS * works) / WORKS;
  for (let work = 0; work < works; work++) {
    log.write(Array.from({ length: LINES_OF_A_WORK }, () => lines.event()));
    if (work % 3 === 1) log.rotate('rename');
    if (work % 6 === 5) log.rotate('copytruncate');
    log.deleteOldest(KEPT_BACKUPS);
    await sleep(LEAST_WORK_MS);
    // Else a commit is waited for, a second at most.
    lives.signal('SIGUSR1');
    for (;;) {
      const looks = lives.usages.length;
      await lives.probe();
      if (lives.usages.length > looks && lives.usages.at(-1)!.isQuiet) break;
      if (Date.now() > end) return violations.add('goes on by itself', `it did not come to rest: ${work} works`);
      await sleep(LOOK_FOR_REST_MS);
    }
  }
}

async function isArchived(archive: string, line: Buffer): Promise<boolean> {
  for (const name of await archiveFiles(archive).catch(() => [])) {
    try {
      for await (const { bytes } of readLines(join(archive, name))) if (bytes.equals(line)) return true;
    } catch {
      // It is being written to, or somebody else's.
    }
  }
  return false;
}

async function readToEnd(scene: TortureScene, violations: Violations): Promise<void> {
  const env = scene.faults?.env ?? {};
  try {
    const { code, signal, log } = await AgentProcess.runToEnd({ config: scene.config, env }, DRAIN_MS);
    scene.outputs.set('run --exit-at-eof', log.map((line) => JSON.stringify(line)).join('\n'));
    if (code === 0) return;
    const last = log.slice(-4).map((line) => `\n    ${line.text ?? JSON.stringify(line)}`);
    violations.add('exit codes', `run --exit-at-eof ended with ${signal ?? code}${last.join('')}`);
  } catch (error) {
    violations.add('exit codes', `run --exit-at-eof: ${error instanceof Error ? error.message : error}`);
  }
}
