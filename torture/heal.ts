import { setTimeout as sleep } from 'node:timers/promises';
import { AgentProcess } from '../test/helpers/agent-process.ts';
import type { AgentLives } from './agent-lives.ts';
import type { Violations } from './check/violation.ts';
import type { TortureScene } from './scene.ts';

/** To read and deliver what is left. */
const DRAIN_MS = 180_000;

/** For an agent with nothing to do to come to rest. */
const REST_MS = 2000;

/** Mends everything, ends the agent, and lets another one read to the end (`run --exit-at-eof`) and start once more. */
export async function heal(world: { scene: TortureScene; lives: AgentLives; violations: Violations }): Promise<void> {
  const { scene, lives, violations } = world;
  scene.faults?.setClock(0);
  await scene.receivers.elasticsearch.heal();
  await scene.receivers.ndjson.heal();
  await lives.stop();
  await readToEnd(scene, violations);
  // And once more as a service: what is archived already stays as it is.
  lives.start();
  await lives.started();
  await sleep(REST_MS);
  await lives.probe();
  await scene.command(['status', '--json'], { codes: [0, 1] });
  await scene.command(['check'], { codes: [0, 1] });
  await lives.stop();
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
