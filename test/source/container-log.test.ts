import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { begun, CRI, cri, docked, line, rotate, write } from './container-lines.ts';
import { PacedSink } from './paced-sink.ts';
import { SourceHarness } from './source-harness.ts';

test('a line that a rotation cuts is taken whole, and waits for its end', async () => {
  await using harness = new SourceHarness(CRI);
  write(harness.log, line('one'), begun('tw'));
  await harness.settle();
  assert.deepEqual(harness.taken, ['one']);
  assert.equal(harness.source.isDrained, true, 'the end of the live file is left');
  rotate(harness.log);
  for (let round = 0; round < 5; round += 1) await harness.settle();
  assert.deepEqual(harness.taken, ['one'], 'the next file is there and empty');
  assert.equal(harness.source.isDrained, true, 'only the container can go on');
  write(harness.log, begun('o a'));
  for (let round = 0; round < 5; round += 1) await harness.settle();
  assert.deepEqual(harness.taken, ['one'], 'it goes on, and has no end yet');
  assert.equal(harness.source.isDrained, true);
  write(harness.log, line('nd a half'), line('three'));
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two and a half', 'three']);
  await harness.stop();
  harness.start();
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two and a half', 'three']);
});

test('a line may fill whole files', async () => {
  const sink = new PacedSink('http');
  await using harness = new SourceHarness(CRI, sink);
  sink.hasRoom = false;
  write(harness.log, line('one'), begun('a'));
  await harness.settle();
  for (const text of ['b', 'c']) {
    rotate(harness.log);
    write(harness.log, begun(text));
    await harness.settle();
  }
  const last = rotate(harness.log);
  write(last, begun('d'));
  write(harness.log, line('e'), line('two'));
  await harness.settle();
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'abcde', 'two']);
  sink.hasRoom = true;
  await harness.settle();
  sink.takeAll();
  await harness.settle();
  assert.deepEqual(sink.delivered, ['one', 'abcde', 'two']);
  assert.equal(harness.source.segments().length, 1, 'the others are let go');
});

test('what comes to its end nowhere is taken as it is, when its container is gone', async () => {
  await using harness = new SourceHarness(CRI);
  write(harness.log, line('one'), begun('tw', 'o'));
  await harness.settle();
  rmSync(harness.log);
  await harness.settle();
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two']);
  assert.deepEqual(harness.source.segments(), [], 'its file is not held for ever');
  const metrics = await harness.telemetry.registry.metrics();
  assert.match(metrics, /live_files_deleted_total\{source="apiserver"\} 0/);
  assert.deepEqual(harness.gaps(), []);
});

test('a line that is cut where no next file comes is taken as it is', async () => {
  await using harness = new SourceHarness(CRI);
  const part = `${harness.log}.20261120-150405`;
  write(part, line('one'), begun('two'), begun('three').slice(0, -1));
  await harness.read();
  harness.pass(6_000);
  await harness.read();
  assert.deepEqual(harness.taken, ['one'], 'the next file may be a moment late');
  assert.equal(harness.source.isDrained, false);
  harness.pass(6_000);
  await harness.read();
  assert.deepEqual(harness.taken, ['one', 'twothree']);
  assert.equal(harness.source.isDrained, true);
});

test('a next file that comes a moment late is waited for', async () => {
  await using harness = new SourceHarness(CRI);
  write(harness.log, line('one'), begun('tw'));
  await harness.read();
  harness.pass(60_000);
  renameSync(harness.log, `${harness.log}.20261120-150405`);
  await harness.read();
  write(harness.log, line('o'));
  await harness.settle();
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two']);
});

test('the end of a line whose beginning nobody saw is a line', async () => {
  await using harness = new SourceHarness(CRI);
  write(harness.log, begun('o'), line(' end'), line('two'));
  await harness.settle();
  assert.deepEqual(harness.taken, ['o end', 'two']);
});

test('a sink gets the joined line again from both files after a crash, as long as it has not taken it', async () => {
  const sink = new PacedSink('http', 1);
  await using harness = new SourceHarness(CRI, sink);
  write(harness.log, line('one'), begun('tw'));
  await harness.settle();
  const first = rotate(harness.log);
  write(harness.log, line('o'), line('three'), line('four'));
  await harness.settle();
  const second = rotate(harness.log);
  write(harness.log, line('five'));
  await harness.settle();
  // All but the second.
  for (const n of [0, 1, 1, 1]) sink.take(n);
  assert.deepEqual(sink.delivered, ['one', 'three', 'four', 'five']);
  await harness.settle();
  await harness.crash();
  sink.hasRoom = false;
  harness.start();
  for (let round = 0; round < 3; round += 1) await harness.settle();
  // Both are held open.
  for (const part of [first, second]) rmSync(part);
  await harness.settle();
  sink.hasRoom = true;
  await harness.settle();
  sink.takeAll();
  await harness.settle();
  assert.deepEqual(sink.delivered, ['one', 'three', 'four', 'five', 'two']);
  assert.deepEqual(harness.gaps(), []);
  assert.equal(harness.source.segments().length, 1);
});

test('where the next file is gone, a sink that lacks the line is told, and the others have it', async () => {
  const sink = new PacedSink('http', 1);
  await using harness = new SourceHarness(CRI, sink);
  write(harness.log, line('one'), begun('tw'));
  await harness.settle();
  const first = rotate(harness.log);
  write(harness.log, line('o'), line('three'));
  await harness.settle();
  const second = rotate(harness.log);
  write(harness.log, line('four'));
  await harness.settle();
  for (const n of [0, 1, 1]) sink.take(n);
  await harness.settle();
  await harness.crash();
  rmSync(second);
  harness.start();
  for (let round = 0; round < 3; round += 1) await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two', 'three', 'four']);
  assert.deepEqual(sink.delivered, ['one', 'three', 'four']);
  const [gap, ...others] = harness.gaps();
  assert.deepEqual(others, []);
  assert.equal(gap!.path, first);
  assert.match(gap!.reason, /before the sink http had got it; the file sinks have it/);
});

test('a sink that comes later gets joined lines too', async () => {
  await using harness = new SourceHarness(CRI);
  write(harness.log, line('one'), begun('tw'));
  await harness.settle();
  rotate(harness.log);
  write(harness.log, line('o'), line('three'));
  await harness.settle();
  await harness.stop();
  const sink = new PacedSink('http');
  harness.paced = [sink];
  harness.start();
  await harness.settle();
  await harness.settle();
  assert.deepEqual(sink.handed, ['one', 'two', 'three']);
  assert.deepEqual(harness.taken, ['one', 'two', 'three']);
});

test('a file that lost what belongs to the one before is read from its start', async () => {
  await using harness = new SourceHarness(CRI);
  write(harness.log, line('one'), begun('tw'));
  await harness.settle();
  rotate(harness.log);
  const kept = begun('o');
  write(harness.log, kept, line(' and a half'), line('three'));
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two and a half', 'three']);
  // As after a power loss: what was written last is lost.
  truncateSync(harness.log, kept.length);
  write(harness.log, line(' is another one'), line('four'));
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two and a half', 'three', 'o is another one', 'four']);
});

test('what is longer than the limit goes as it stands in the log, in pieces', async () => {
  for (const maxLineBytes of [1_000, 1_500_000]) {
    const sink = new PacedSink('http');
    await using harness = new SourceHarness({ ...CRI, maxLineBytes }, sink);
    const half = 'x'.repeat(maxLineBytes / 2);
    const parts = begun(half) + cri({ text: 'a klog line', stream: 'stderr' }) + begun(half) + line(half);
    const single = line('y'.repeat(maxLineBytes));
    const inOpen = begun('z') + line('y'.repeat(maxLineBytes));
    const fits = line('f'.repeat(maxLineBytes - line('').length + 1));
    write(harness.log, line('one'), parts, line('two'), single, line('three'), inOpen, line('four'), fits);
    await harness.settle();
    const whole = (unit: string) => unit.slice(0, -1);
    const expected = [
      'one',
      whole(parts),
      'two',
      whole(single),
      'three',
      whole(inOpen),
      'four',
      'f'.repeat(fits.length - line('').length),
    ];
    assert.equal(harness.longLines, 3);
    const brief = (lines: readonly string[]) => lines.map((text) => `${text.slice(0, 60)} ${text.length}`);
    assert.deepEqual(brief(harness.taken), brief(expected));
    assert.deepEqual(brief(sink.handed), brief(expected));
    assert.deepEqual(harness.taken, expected);
  }
});

test('what is longer than the limit is cut at the same places, however it comes', async () => {
  const half = 'x'.repeat(600);
  const contents = [
    line('one'),
    begun(half),
    begun(half),
    line('end'),
    line('two'),
    begun('p'),
    line('z'.repeat(1_200)),
    line('3'),
  ];
  const whole = contents.join('');
  const takenWith = async (step: number) => {
    await using harness = new SourceHarness({ ...CRI, maxLineBytes: 1_000 });
    for (let at = 0; at < whole.length; at += step) {
      write(harness.log, whole.slice(at, at + step));
      await harness.read();
      if (at % 3 === 0) {
        await harness.crash();
        harness.start();
      }
    }
    await harness.settle();
    return harness.taken;
  };
  const expected = await takenWith(whole.length);
  assert.equal(expected.length, 5);
  for (const step of [97, 640, 1_031]) assert.deepEqual(await takenWith(step), expected, `${step} bytes a time`);
});

test('a line that is longer than the limit and cut by a rotation comes in two', async () => {
  await using harness = new SourceHarness({ ...CRI, maxLineBytes: 1_000 });
  const half = 'x'.repeat(600);
  write(harness.log, line('one'), begun(half));
  await harness.settle();
  rotate(harness.log);
  write(harness.log, line(half), line('two'));
  await harness.settle();
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', half, half, 'two']);
});

test('lines of the other stream are counted once, and what is in no wrapper is taken as it is', async () => {
  const sink = new PacedSink('http');
  await using harness = new SourceHarness(CRI, sink);
  sink.hasRoom = false;
  write(harness.log, line('one'), begun('t'), cri({ text: 'E1120 klog', stream: 'stderr' }), 'no wrapper\n');
  await harness.settle();
  assert.deepEqual([harness.taken, harness.otherLines], [['one'], 0]);
  write(harness.log, line('wo'), cri({ text: 'E1120 klog', stream: 'stderr' }));
  await harness.settle();
  sink.hasRoom = true;
  await harness.settle();
  assert.deepEqual([harness.taken, harness.otherLines], [['one', 'no wrapper', 'two'], 2]);
  assert.deepEqual(sink.handed, harness.taken);
});

test('NULs of a writer that was truncated are skipped, also within a line', async () => {
  await using harness = new SourceHarness(CRI);
  const nulls = '\0'.repeat(2_000);
  write(harness.log, nulls, line('one'), nulls, begun('t'), nulls, line('wo'), nulls);
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two']);
  assert.equal(harness.nulls, 4 * nulls.length);
});

test('the runtime’s own time orders files that begin with the end of a line', async () => {
  await using harness = new SourceHarness(CRI);
  const names = ['150403.gz', '150401', '150402'];
  const contents = [line('one') + begun('tw'), line('o') + line('three') + begun('f'), line('our') + line('five')];
  // Written in another order than that of their names and times.
  const [first, second, third] = contents;
  write(`${harness.log}.20261120-${names[1]}`, third!);
  write(`${harness.log}.20261120-${names[2]}`, first!);
  mkdirSync(path.dirname(harness.log), { recursive: true });
  writeFileSync(`${harness.log}.20261120-${names[0]}`, gzipSync(second!));
  write(harness.log, line('six'));
  await harness.settle();
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two', 'three', 'four', 'five', 'six']);
});

test('a name in /var/log/containers is followed to Docker’s own files', async (t) => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-containers-'));
  t.after(() => rmSync(root, { recursive: true }));
  const id = 'f'.repeat(64);
  const containers = path.join(root, 'containers');
  const pod = path.join(root, 'pods/kube-system_kube-apiserver_uid/kube-apiserver');
  const file = path.join(root, 'docker', id, `${id}-json.log`);
  for (const directory of [containers, pod]) mkdirSync(directory, { recursive: true });
  symlinkSync(file, path.join(pod, '0.log'));
  symlinkSync(
    path.join(pod, '0.log'),
    path.join(containers, `kube-apiserver-node_kube-system_kube-apiserver-${id}.log`),
  );
  await using harness = new SourceHarness({
    path: path.join(containers, 'kube-apiserver-*.log'),
    format: 'docker',
    stream: 'stdout',
  });
  write(file, docked('one'), docked('t', true));
  await harness.settle();
  renameSync(file, `${file}.1`);
  write(file, docked('wo'), docked('three', true));
  await harness.settle();
  await harness.stop();
  renameSync(`${file}.1`, `${file}.2`);
  renameSync(file, `${file}.1`);
  write(file, docked(' and a half'));
  harness.start();
  await harness.settle();
  await harness.settle();
  assert.deepEqual(harness.taken, ['one', 'two', 'three and a half']);
  assert.deepEqual(harness.gaps(), []);
});
