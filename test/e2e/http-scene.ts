import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import type { Tally } from '../../demo/receivers/tally.ts';
import { auditail } from '../cli/cli-process.ts';
import type { AgentProcess, Exit, LogLine } from '../helpers/agent-process.ts';
import { hashLine, type LineMultiset } from '../helpers/line-multiset.ts';
import type { Scene } from './scene.ts';

type Keys = Readonly<Record<string, unknown>>;

/** An NDJSON sink in which nothing waits long. */
export function httpSink(name: string, url: string, keys: Keys = {}): Keys {
  return {
    name,
    type: 'http',
    format: 'ndjson',
    url,
    batch: { age: '30ms' },
    retry: { min: '20ms', max: '150ms' },
    timeout: '1s',
    spool: { after: '200ms' },
    ...keys,
  };
}

/** The configuration with further sinks. */
export function withSinks(config: Keys, ...sinks: readonly Keys[]): Record<string, unknown> {
  return { ...config, sinks: [...(config.sinks as readonly Keys[]), ...sinks] };
}

/** What `auditail deadletter list --json` prints. */
export interface Letter {
  readonly sink: string;
  readonly reason: string;
  readonly tag: string;
  readonly source: string;
  readonly path: string;
  readonly offset: number;
  readonly raw: string;
}

/** Asks the program for the dead letters of a configuration. */
export async function deadLetters(directory: string, config: Keys): Promise<Letter[]> {
  const { stdout } = await command(directory, config, ['deadletter', 'list', '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Letter);
}

/** Runs a command with `-c` and a configuration. @throws AssertionError when it ends with another code. */
export async function command(
  directory: string,
  config: Keys,
  words: readonly string[],
  { code = 0, env = {} }: { readonly code?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ stdout: string; stderr: string }> {
  const file = join(directory, 'commands.yaml');
  writeFileSync(file, JSON.stringify(config));
  const finished = await auditail([...words, '-c', file], { env });
  assert.equal(finished.code, code, `${words.join(' ')}: ${finished.stdout}${finished.stderr}`);
  return finished;
}

/** Reads all that exists, delivers and commits it (`run --exit-at-eof`). Gives the log. */
export async function runToEnd(scene: Scene, config: Keys, env: Record<string, string> = {}): Promise<LogLine[]> {
  const { code, signal, log } = await scene.runToEnd({ config, env });
  const last = log.slice(-10).map((line) => JSON.stringify(line));
  assert.equal(code, 0, `--exit-at-eof ended with ${code ?? signal}:\n${last.join('\n')}`);
  return [...log];
}

/** Waits until so many different events arrived. */
export async function received(agent: AgentProcess, stored: Tally, events: number, deadlineMs?: number): Promise<void> {
  await agent.waitFor(`${events} received events`, () => stored.distinct >= events, deadlineMs);
}

/** Each event was received, or is a dead letter with a reason; nothing else is either. */
export function assertAccounted(expected: LineMultiset, stored: Tally, letters: readonly Letter[]): void {
  for (const letter of letters) assert.notEqual(letter.reason, '', JSON.stringify(letter));
  const { foreign } = stored.compare(expected);
  // What was received stays marked as found.
  const strange = letters.filter(({ raw }) => expected.find(hashLine(raw)) === 'foreign');
  const lost = [...expected.missing()].length;
  assert.deepEqual({ lost, foreign, strange }, { lost: 0, foreign: 0, strange: [] });
}

/** Every event was received exactly once. */
export function assertReceivedOnce(expected: LineMultiset, stored: Tally): void {
  assert.deepEqual(stored.compare(expected), { lost: 0, duplicated: 0, foreign: 0 });
}

/** Ends an agent that has everything delivered; it has to end well. */
export async function ended(agent: AgentProcess): Promise<void> {
  const exit: Exit = await agent.stop();
  assert.deepEqual(exit, { code: 0, signal: null }, JSON.stringify(agent.log.slice(-5)));
}

/** Log lines that tell of an event of the agent's life, such as `spool_full`. */
export function told(log: readonly LogLine[], event: string, sink?: string): LogLine[] {
  return log.filter((line) => line.event === event && (sink === undefined || line.sink === sink));
}

/** The acts that a receiver was made to do, for messages. */
export function describeActs({ acts }: ChaosReceiver): string {
  return [...acts].map(([act, times]) => `${act} ${times}`).join(', ');
}
