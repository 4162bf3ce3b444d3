/** Sinks that are told to go on elsewhere. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { httpSink, withSinks } from './http-scene.ts';
import { bytesOf, SwitchScene } from './offsets-scene.ts';

test('to the head: it is said that lines come twice in files, and done with --yes only', async () => {
  await using scene = new SwitchScene();
  const old = scene.part(10);
  const live = scene.live(20);
  await scene.runsToEnd();
  const before = scene.dump();
  const { code, stdout, stderr } = await scene.offsets(['reset', '--to', 'head']);
  assert.equal(code, 2);
  assert.match(stdout, /audit\.log +[0-9.]+ KiB +archive +[0-9,]+ +0 +[0-9.]+ KiB again/);
  assert.match(
    stderr,
    /nothing was changed: [0-9.]+ KiB of lines would come twice in the files of file sinks\. .*--yes/,
  );
  assert.equal(scene.dump(), before);
  await scene.offsetsDone(['reset', '--to', 'head', '--yes', '--dry-run']);
  assert.equal(scene.dump(), before);
  await scene.offsetsDone(['reset', '--to', 'head', '--yes']);
  await scene.runsToEnd();
  const all = [...old.lines, ...live.lines];
  scene.assertArchived([...all, ...all]);
});

test('to the tail: what is there is skipped, and what comes is read', async () => {
  await using scene = new SwitchScene();
  const old = scene.part(10);
  await scene.runsToEnd();
  scene.part(10);
  const skipped = scene.live(5, '{"kind":"Event","auditID":"later"');
  const { code, stderr } = await scene.offsets(['reset', '--to', 'tail']);
  assert.equal(code, 2);
  assert.match(stderr, /sinks would never get [0-9.]+ KiB of lines/);
  await scene.offsetsDone(['reset', '--to', 'tail', '--yes']);
  writeFileSync(scene.log, '}\n', { flag: 'a' });
  const more = scene.append(5);
  await scene.runsToEnd();
  scene.assertArchived([...old.lines, '{"kind":"Event","auditID":"later"}\n', ...more]);
  assert.ok(!scene.archiveLines().includes(skipped.lines[0]!));
  assert.match(
    await scene.offsetsDone(['reset', '--to', 'tail']),
    /^3 files with nothing to change\nnothing was changed\n$/,
  );
});

test('an offset: only where a line begins, in one file, also a gzipped one', async () => {
  await using scene = new SwitchScene();
  const old = scene.part(10);
  const live = scene.live(3);
  await scene.runsToEnd();
  const part = `${old.path}.gz`;
  writeFileSync(part, gzipSync(readFileSync(old.path)));
  rmSync(old.path);
  const failed = async (...words: string[]) => {
    const { code, stderr } = await scene.offsets(['reset', ...words, '--yes']);
    assert.equal(code, 2, stderr);
    return stderr;
  };
  const [start, next] = [bytesOf(old.lines, 4), bytesOf(old.lines, 5)];
  assert.match(await failed('--to', '5'), /an offset is a place in one file\. Name it with --file/);
  assert.match(
    await failed('--file', part, '--to', String(start + 1)),
    new RegExp(
      `${start + 1} is in the middle of a line of .*\\.gz\\. That line begins at ${start}, the next one at ${next}`,
    ),
  );
  assert.match(await failed('--file', part, '--to', String(bytesOf(old.lines) + 1)), /is behind its end/);
  assert.match(await failed('--file', `${part}.no`, '--to', '0'), /is no file that a source reads/);
  assert.match(
    await failed('--stream', '/no', '--to', 'head'),
    /\/no is no log that a source reads\. Logs that are there: /,
  );
  assert.match(await failed('--sink', 'no', '--to', 'head'), /the configuration has no sink "no"\. It has: archive/);
  assert.match(await failed('--source', 'no', '--to', 'head'), /has no source "no"\. It has: apiserver/);
  assert.match(await failed('--to', '-1'), /expected head, tail or an offset/);
  await scene.offsetsDone(['reset', '--file', part, '--to', String(start), '--yes']);
  await scene.runsToEnd();
  scene.assertArchived([...old.lines, ...old.lines.slice(4), ...live.lines]);
});

test('one HTTP sink to the head: it gets all once more, nobody else anything, and nothing has to be confirmed', async () => {
  await using scene = new SwitchScene();
  const store = new WholeRequestStore(NDJSON);
  await using receiver = await ChaosReceiver.start({ store });
  const config = withSinks(scene.config(), httpSink('siem', receiver.url));
  const old = scene.part(20);
  const live = scene.live(30);
  await scene.runsToEnd(config);
  assert.equal(store.stored.total, 50);
  await scene.offsetsDone(['reset', '--sink', 'siem', '--to', 'head'], config);
  await scene.runsToEnd(config);
  assert.deepEqual([store.stored.total, store.stored.distinct], [100, 50]);
  scene.assertArchived([...old.lines, ...live.lines]);
});

test('two archives stand at places of their own', async () => {
  await using scene = new SwitchScene();
  const second = { name: 'second', type: 'file', path: join(scene.root, 'second', '${tag}.%Y%m%d%H.log.gz') };
  const config = withSinks(scene.config(), second);
  const old = scene.part(10);
  const live = scene.live(10);
  await scene.runsToEnd(config);
  await scene.offsetsDone(['reset', '--sink', 'second', '--stream', scene.log, '--to', 'head', '--yes'], config);
  await scene.runsToEnd(config);
  const all = [...old.lines, ...live.lines];
  scene.assertArchived(all);
  scene.assertArchived([...all, ...all], join(scene.root, 'second'));
});

test('a file that is gone is left alone, and told', async () => {
  await using scene = new SwitchScene();
  scene.live(10);
  await scene.runsToEnd();
  const part = scene.rotated();
  rmSync(part);
  const next = scene.live(5);
  const result = JSON.parse(await scene.offsetsDone(['reset', '--to', 'head', '--json']));
  assert.deepEqual(result.gone, [scene.log]);
  assert.deepEqual(result.files, [
    {
      source: 'apiserver',
      stream: scene.log,
      path: scene.log,
      new: true,
      size: bytesOf(next.lines),
      sinks: [{ sink: 'archive', before: 0, after: 0 }],
    },
  ]);
  assert.equal(result.stored, false);
});

test('without a state there is nothing to reset', async () => {
  await using scene = new SwitchScene();
  scene.live(1);
  const { code, stderr } = await scene.offsets(['reset', '--to', 'head']);
  assert.equal(code, 1);
  assert.match(stderr, /there is no state database .*auditail offsets import/);
});

test('wherever an archive is taken to, it goes on exactly there', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.record({ file: fc.nat(), line: fc.nat(), gzip: fc.boolean() }), { minLength: 1, maxLength: 3 }),
      async (counts, resets) => {
        await using scene = new SwitchScene();
        const parts = counts.slice(1).map((count) => ({ ...scene.part(count) }));
        parts.push(scene.live(counts[0]!));
        await scene.runsToEnd();
        const expected = parts.flatMap(({ lines }) => lines);
        // The last place of each file counts: nothing is read in between.
        const places = new Map<string, { lines: readonly string[]; from: number }>();
        for (const { file, line, gzip } of resets) {
          const part = parts[file % parts.length]!;
          if (gzip && part.path !== scene.log && !part.path.endsWith('.gz')) {
            writeFileSync(`${part.path}.gz`, gzipSync(readFileSync(part.path)));
            rmSync(part.path);
            parts[file % parts.length] = { ...part, path: `${part.path}.gz` };
          }
          const { path, lines } = parts[file % parts.length]!;
          const from = line % (lines.length + 1);
          await scene.offsetsDone(['reset', '--file', path, '--to', String(bytesOf(lines, from)), '--yes']);
          places.set(lines[0]!, { lines, from });
        }
        const more = scene.append(2);
        await scene.runsToEnd();
        const again = [...places.values()].flatMap(({ lines, from }) => lines.slice(from));
        scene.assertArchived([...expected, ...again, ...more]);
      },
    ),
    { numRuns: 8 },
  );
});
