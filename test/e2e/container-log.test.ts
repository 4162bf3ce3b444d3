/**
 * The log of a container, as kubelet and containerd keep it: the name in /var/log/containers leads to a file that is
 * renamed, gzipped and deleted, while its writer cuts long lines into parts at any place.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Random } from '../../bench/random.ts';
import type { LogLine } from '../helpers/agent-process.ts';
import { criPart } from '../helpers/container-log.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { assertExact, eventLine, Scene } from './scene.ts';

const ROTATIONS = 24;
const PARTS_A_FILE = 60;
/** As kubelet's --container-log-max-files. */
const KEPT_FILES = 5;
const PART_BYTES = 700;

/** A static pod's container, and who keeps its log. */
class Container {
  readonly name: string;
  readonly expected = new LineMultiset();
  klogLines = 0;
  readonly #file: string;
  readonly #random = new Random(20261120);
  #events = 0;
  #rotations = 0;
  /** Parts that are still to be written. */
  #parts: string[] = [];

  constructor(root: string) {
    const pod = join(root, 'pods', 'kube-system_kube-apiserver-node_0123', 'kube-apiserver');
    const containers = join(root, 'containers');
    for (const directory of [pod, containers]) mkdirSync(directory, { recursive: true });
    this.#file = join(pod, '0.log');
    writeFileSync(this.#file, '');
    this.name = join(containers, `kube-apiserver-node_kube-system_kube-apiserver-${'a'.repeat(64)}.log`);
    symlinkSync(this.#file, this.name);
  }

  /** Writes one part, and now and then a line of klog between. */
  write(): void {
    if (this.#parts.length === 0) this.#begin();
    const isPartial = this.#parts.length > 1;
    const stream = this.#random.below(3);
    if (stream === 0) this.#append('E1120 15:04:05.000000 1 reflector.go:1] on stderr', false, 'stderr');
    if (stream === 1 && this.#parts.length === 1) {
      this.klogLines += 1;
      this.#append(this.#parts.shift()!, isPartial);
      const klog = `I1120 15:04:05.000000 1 trace.go:${this.klogLines}] on stdout`;
      this.expected.expect(hashLine(Buffer.from(klog)));
      this.#append(klog, false);
      return;
    }
    this.#append(this.#parts.shift()!, isPartial);
  }

  get events(): number {
    return this.#events;
  }

  /** Ends the line that was begun. */
  finish(): void {
    while (this.#parts.length > 0) this.write();
  }

  /** Renames the log, gzips the file before, and deletes the oldest. */
  rotate(): void {
    const directory = join(this.#file, '..');
    const older = readdirSync(directory)
      .filter((name) => name !== '0.log')
      .sort();
    for (const name of older.slice(0, Math.max(0, older.length - KEPT_FILES + 2))) rmSync(join(directory, name));
    for (const name of older.filter((one) => !one.endsWith('.gz') && readdirSync(directory).includes(one))) {
      writeFileSync(join(directory, `${name}.tmp`), gzipSync(readFileSync(join(directory, name))));
      renameSync(join(directory, `${name}.tmp`), join(directory, `${name}.gz`));
      rmSync(join(directory, name));
    }
    this.#rotations += 1;
    renameSync(this.#file, `${this.#file}.20261120-${150_000 + this.#rotations}`);
    writeFileSync(this.#file, '');
  }

  #begin(): void {
    const filler = this.#random.below(4) === 0 ? this.#random.below(8 * PART_BYTES) : 0;
    const line = eventLine({ id: this.#events, filler, namespace: this.#random.below(2) === 0 ? 'team-a' : 'team-b' });
    this.#events += 1;
    this.expected.expect(hashLine(Buffer.from(line)));
    this.#parts = line.match(new RegExp(`.{1,${PART_BYTES}}`, 'g'))!;
    // containerd ends a line whose length is a multiple of its buffer's with an empty part.
    if (this.#random.below(5) === 0) this.#parts.push('');
  }

  #append(text: string, isPartial: boolean, stream: 'stdout' | 'stderr' = 'stdout'): void {
    appendFileSync(this.#file, criPart({ text, isPartial, stream, timeMs: Date.now() }));
  }
}

test('a container’s log is archived once, through rotations within events and kill -9', {
  timeout: 240_000,
}, async () => {
  await using scene = new Scene();
  const container = new Container(scene.root);
  const path = join(scene.root, 'containers', '*.log');
  const config = scene.config({ source: { path, format: 'cri', rotate_wait: '100ms' } });
  const random = new Random(7);
  let agent = scene.start({ config });
  const log: LogLine[] = [];
  /** What was written until each rotation. */
  const written: number[] = [];
  const caughtUp = (lines: number) => agent.waitFor('it to catch up', () => scene.committedLines() >= lines);
  for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
    for (let n = 0; n < PARTS_A_FILE; n += 1) {
      container.write();
      if (n % 20 === 0) await sleep(5);
    }
    // A part is deleted when the line that goes on behind it is committed: until then nobody else has its beginning, and an
    // agent that is killed would not find it any more.
    await caughtUp(written.at(1 - KEPT_FILES) ?? 0);
    container.rotate();
    written.push(container.expected.total);
    if (rotation % 4 !== 3) continue;
    await sleep(random.below(300));
    log.push(...agent.log);
    await agent.kill();
    agent = scene.start({ config });
    // Parts are deleted a few rotations later: let it catch up.
    await caughtUp(container.expected.total - 2);
  }
  container.finish();
  await sleep(200);
  await agent.kill();
  assert.equal((await scene.runToEnd({ config })).code, 0);
  assertExact(await scene.compare(container.expected));
  assert.ok(container.klogLines > 50, `${container.klogLines} lines of klog`);
  const messagesOf = (wanted: string) => log.filter(({ level }) => level === wanted).map(({ message }) => message);
  assert.ok(messagesOf('info').includes('reading a log file'));
  assert.deepEqual(messagesOf('warn'), [], 'klog is nothing to be warned of');
});

test('--exit-at-eof leaves a line that its container has not ended, and ends', async () => {
  await using scene = new Scene();
  const container = new Container(scene.root);
  const config = scene.config({ source: { path: container.name, format: 'cri' } });
  const whole = eventLine({ id: 'whole' });
  const [first, second] = [whole.slice(0, 50), whole.slice(50)];
  appendFileSync(
    container.name,
    criPart({ text: eventLine({ id: 'one' }) }) + criPart({ text: first, isPartial: true }),
  );
  assert.equal((await scene.runToEnd({ config })).code, 0);
  container.rotate();
  assert.equal((await scene.runToEnd({ config })).code, 0);
  const expected = new LineMultiset();
  expected.expect(hashLine(Buffer.from(eventLine({ id: 'one' }))));
  assertExact(await scene.compare(expected));
  appendFileSync(container.name, criPart({ text: second }));
  assert.equal((await scene.runToEnd({ config })).code, 0);
  expected.expect(hashLine(Buffer.from(whole)));
  assertExact(await scene.compare(expected));
});
