import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import type { Exit, LogLine } from '../helpers/agent-process.ts';
import { Scene } from './scene.ts';

/** The command that a refusal names: what follows its last "with: ". */
function commandOf(sentence: string): string {
  const command = sentence.split('with: ').at(-1);
  assert.ok(command !== undefined && command !== sentence, `no command in: ${sentence}`);
  return command;
}

/** The sentence of a start that was refused. */
function refusal({ code, log }: Exit & { log: readonly LogLine[] }): string {
  assert.equal(code, 1, JSON.stringify(log));
  const sentence = String(log.at(-1)?.text);
  assert.match(sentence, /^auditail: /, JSON.stringify(log));
  assert.equal(log.filter(({ text }) => text !== undefined).length, 1, JSON.stringify(log));
  return sentence;
}

function contents(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return new Map(
    names
      .filter((name) => statSync(join(directory, name)).isFile())
      .map((name) => [name, readFileSync(join(directory, name), 'latin1')]),
  );
}

const DAMAGES: readonly [string, (file: string) => void][] = [
  ['has garbage for a header', (file) => overwrite(file, 0, 100)],
  ['is cut in the middle of a page', (file) => truncateSync(file, (statSync(file).size >> 1) + 100)],
  ['is cut between two pages', (file) => truncateSync(file, 4096 * 3)],
  ['has garbage in its first page', (file) => overwrite(file, 100, 300)],
  ['has garbage in its middle', (file) => overwrite(file, 4096 * 4, 4096 * 6)],
  ['is text', (file) => writeFileSync(file, 'this is no database\n'.repeat(1000))],
];

function overwrite(file: string, start: number, length: number): void {
  const bytes = readFileSync(file);
  for (let at = start; at < Math.min(start + length, bytes.length); at += 1) bytes[at] = (at * 131 + 89) & 255;
  writeFileSync(file, bytes);
}

describe('a damaged state database', { concurrency: 2 }, () => {
  for (const [what, damage] of DAMAGES) {
    test(`${what}: the start is refused, and the commands that are named resolve it`, async () => {
      await using scene = new Scene();
      const file = join(scene.state, 'state.sqlite');
      for (let namespace = 0; namespace < 40; namespace += 1) scene.write(2, { namespace: `team-${namespace}` });
      assert.equal((await scene.runToEnd()).code, 0);
      assert.ok(!existsSync(`${file}-wal`) || statSync(`${file}-wal`).size === 0, 'a clean end leaves no log');
      damage(file);
      const damaged = readFileSync(file);
      const before = contents(scene.archive);

      const corrupt = refusal(await scene.runToEnd());
      assert.match(corrupt, /the state database .* is damaged/);
      assert.deepEqual(contents(scene.archive), before);
      assert.ok(readFileSync(file).equals(damaged));
      execFileSync('sh', ['-c', commandOf(corrupt)]);
      assert.ok(readFileSync(`${file}.damaged`).equals(damaged));

      // Without a state the archive is nobody's.
      const unknown = refusal(await scene.runToEnd());
      assert.match(unknown, /there is an archive already/);
      assert.deepEqual(contents(scene.archive), before);
      execFileSync('sh', ['-c', commandOf(unknown)]);
      assert.equal(existsSync(scene.archive), false);

      assert.equal((await scene.runToEnd()).code, 0);
      await scene.assertExact();
    });
  }
});

test('a state database of a newer auditail is refused and left as it is', async () => {
  await using scene = new Scene();
  scene.write(10);
  assert.equal((await scene.runToEnd()).code, 0);
  const file = join(scene.state, 'state.sqlite');
  const db = new Sqlite(file);
  db.pragma('user_version = 9999');
  db.close();
  const before = readFileSync(file);
  scene.write(10);
  assert.match(refusal(await scene.runToEnd()), /written by a newer auditail.*install the newer auditail again$/);
  assert.ok(readFileSync(file).equals(before));
});

test('a second agent on one state directory is refused, and the first goes on', async () => {
  await using scene = new Scene();
  await using first = scene.start();
  scene.write(20);
  await scene.archived(first);
  for (const config of [
    scene.config(),
    // Another archive and another log do not help.
    scene.config({
      source: { path: join(scene.root, 'other.log') },
      sink: { path: join(scene.root, 'other', 'a.log.gz') },
    }),
  ]) {
    const sentence = refusal(await scene.runToEnd({ config }));
    assert.ok(sentence.includes(`is in use by process ${first.pid} on `), sentence);
  }
  assert.equal(existsSync(join(scene.root, 'other')), false);
  scene.write(20);
  await scene.archived(first);
  assert.deepEqual(await first.stop(), { code: 0, signal: null });
  await scene.assertExact();
});

test('the lock of a killed agent is free, whatever its holder file says', async () => {
  await using scene = new Scene();
  scene.write(20);
  const first = scene.start();
  await scene.archived(first);
  await first.kill();
  scene.write(20);
  assert.equal((await scene.runToEnd()).code, 0);
  await scene.assertExact();
});

test('a state that was deleted beside an archive: nothing is changed, and the command that is named resolves it', async () => {
  await using scene = new Scene();
  scene.write(20);
  assert.equal((await scene.runToEnd()).code, 0);
  for (const name of readdirSync(scene.state)) if (name.startsWith('state.')) unlinkSync(join(scene.state, name));
  const before = contents(scene.archive);
  const sentence = refusal(await scene.runToEnd());
  assert.deepEqual(contents(scene.archive), before);
  execFileSync('sh', ['-c', commandOf(sentence)]);
  assert.equal((await scene.runToEnd()).code, 0);
  await scene.assertExact();
  const moved = readdirSync(scene.root).find((name) => name.startsWith('archive.'));
  assert.deepEqual(contents(join(scene.root, moved!)), before);
});
