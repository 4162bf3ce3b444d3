import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AgentProcess } from '../../test/helpers/agent-process.ts';
import { compareArchive, gzipTest, zstdTest } from '../../test/helpers/archive-reader.ts';
import { hashLine } from '../../test/helpers/line-multiset.ts';
import type { Expectation } from './expectation.ts';
import type { Scene } from './scene.ts';

const DEADLINE_MS = 60_000;

/** Starts the agent on what a crash left and lets it catch up. @returns what is wrong. */
export async function catchUp(config: Record<string, unknown>, env: Record<string, string>): Promise<string[]> {
  const { code, signal, log } = await AgentProcess.runToEnd({ config, env }, DEADLINE_MS);
  // Gaps are compared with what is expected of them; nothing else is to be wrong after a power loss.
  const errors = log.filter(({ level, message }) => level === 'error' && !String(message).startsWith('a gap'));
  const told = errors.map((line) => `the agent tells an error: ${JSON.stringify(line)}`);
  if (code === 0) return told;
  return [
    `the agent ended with ${signal ?? code}: ${log
      .slice(-3)
      .map((line) => JSON.stringify(line))
      .join(' ')}`,
  ];
}

/** Compares the archive with what was written. @returns what is wrong. */
export async function checkArchive(scene: Scene, { needed, possible }: Expectation): Promise<string[]> {
  const wrong: string[] = [];
  if (!existsSync(scene.archive)) return needed.size === 0 ? [] : [`there is no archive of ${needed.size} lines`];
  const { duplicated, foreign, examples, files } = await compareArchive(scene.archive, possible);
  if (duplicated > 0) wrong.push(`${duplicated} lines twice in the archive: ${examples.duplicated[0]}`);
  if (foreign > 0) wrong.push(`${foreign} strange lines in the archive: ${examples.foreign[0]}`);
  const lost = [...possible.missing()].filter(({ hash }) => needed.has(hash));
  if (lost.length > 0) wrong.push(`${lost.length} of ${needed.size} lines are not in the archive`);
  wrong.push(...files.flatMap(({ damage }) => damage ?? []));
  for (const [ending, programTest] of [
    ['.gz', gzipTest],
    ['.zst', zstdTest],
  ] as const) {
    const paths = files.filter(({ file }) => file.endsWith(ending)).map(({ file }) => join(scene.archive, file));
    const verdict = await programTest(...paths);
    if (typeof verdict === 'object') wrong.push(`${ending} -t: ${verdict.invalid}`);
  }
  return wrong;
}

/** Compares what the receiver has, and the dead letters, with what was written. @returns what is wrong. */
export function checkReceiver(
  scene: Scene,
  { needed, possible }: Expectation,
  received: readonly ReadonlySet<string>[],
): string[] {
  const letters = deadLetters(scene.state);
  const lost = [...needed].filter((hash) => !letters.has(hash) && !received.some((lines) => lines.has(hash)));
  const wrong =
    lost.length === 0 ? [] : [`${lost.length} of ${needed.size} lines neither arrived nor are dead letters`];
  const strange = [...letters].filter((hash) => possible.find(Buffer.from(hash, 'hex')) === 'foreign');
  if (strange.length > 0) wrong.push(`${strange.length} dead letters hold lines that were never written`);
  return wrong;
}

/** What vanished unread, as far as the state tells. @returns what is wrong. */
export function checkGaps(scene: Scene, { least, most }: { readonly least: number; readonly most: number }): string[] {
  const gaps = query(join(scene.state, 'state.sqlite'), 'SELECT * FROM gaps');
  if (gaps.length >= least && gaps.length <= most) return [];
  return [`${gaps.length} gaps instead of ${least} to ${most}: ${JSON.stringify(gaps)}`];
}

function deadLetters(state: string): Set<string> {
  const rows = query(join(state, 'deadletter.sqlite'), 'SELECT tag, line FROM letters');
  return new Set(rows.map(({ tag, line }) => hashLine(asWritten(String(tag), line as Uint8Array)).toString('hex')));
}

/** What was no event went out, and came back, within one. */
function asWritten(tag: string, line: Uint8Array): Uint8Array {
  if (!tag.endsWith('._unparsed')) return line;
  return Buffer.from((JSON.parse(Buffer.from(line).toString()) as { message: string }).message);
}

function query(file: string, sql: string): Record<string, unknown>[] {
  if (!existsSync(file)) return [];
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}
