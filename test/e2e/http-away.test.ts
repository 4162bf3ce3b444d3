/** A receiver that is away for longer than memory and spool allow: who waits, who does not, and what comes afterwards. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { assertReceivedOnce, ended, httpSink, received, told, withSinks } from './http-scene.ts';
import { HOUR_START, Scene } from './scene.ts';

const MIB = 1024 * 1024;

/** Memory and spool hold some five megabytes together: less than half of what is written. */
const SMALL = { memory_limit: '8MiB', source: { max_line_bytes: '256KiB' } };
const SPOOL_BYTES = MIB;

/** Events in one request, at the most. */
const IN_FLIGHT = 110;

/** One request at a time, so that the order in which events arrive is the order in which they were sent. */
function smallSink(url: string, spool: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return httpSink('hook', url, {
    concurrency: 1,
    batch: { age: '30ms', bytes: '128KiB' },
    spool: { after: '100ms', max_bytes: `${SPOOL_BYTES}B`, ...spool },
  });
}

/** Writes parts of a megabyte, the first of which has that number, and rotates after each. Gives their paths. */
function writeParts(scene: Scene, parts: number, first = 0): string[] {
  return Array.from({ length: parts }, (_, index) => {
    scene.write(1000, { filler: 900, timeMs: timeOf(first + index) });
    return scene.writer.rotate('rename');
  });
}

/** The time of the events in a part: it says which part comes first. */
function timeOf(part: number): number {
  return HOUR_START + part * 1000;
}

/** What was received, and what was written, by the numbers that the lines bear. */
function numbers(lines: readonly Buffer[]): number[] {
  return lines.map((line) => Number(JSON.parse(line.toString()).auditID));
}

function ascending(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function gapsOf(scene: Scene): unknown[] {
  const sql = 'SELECT path, start_offset AS start, end_offset AS end, reason FROM gaps ORDER BY id';
  const out = execFileSync('sqlite3', ['-json', join(scene.state, 'state.sqlite'), sql], { encoding: 'utf8' });
  return out.trim() === '' ? [] : JSON.parse(out);
}

function spoolBytes(scene: Scene): number {
  return Number(execFileSync('du', ['-sb', join(scene.state, 'spool', 'hook')], { encoding: 'utf8' }).split('\t')[0]);
}

async function isFull(agent: AgentProcess): Promise<void> {
  await agent.waitFor('the sink to fall behind', () => told(agent.log, 'fell_behind', 'hook').length > 0);
}

describe('with overflow: block', () => {
  test('the archive goes on; then come the spool, the rest of the log, and live events, in order', async (t) => {
    await using scene = new Scene();
    const store = new WholeRequestStore(NDJSON, { keepLines: true });
    await using receiver = await ChaosReceiver.start({ store });
    await receiver.down();
    const agent = scene.start({ config: withSinks(scene.config(SMALL), smallSink(receiver.url)) });
    writeParts(scene, 12);
    scene.write(500, { filler: 900, timeMs: timeOf(12) });
    await scene.archived(agent);
    await scene.assertExact();
    await isFull(agent);
    await scene.committed(agent);
    assert.equal(store.stored.total, 0);
    assert.equal(told(agent.log, 'spool_full', 'hook').length, 1);
    const bytes = spoolBytes(scene);
    t.diagnostic(`${bytes} bytes in the spool`);
    // It takes what it was handed when it became full.
    assert.ok(bytes > SPOOL_BYTES / 2 && bytes < 2 * SPOOL_BYTES, `${bytes} bytes in the spool`);

    await receiver.healthy();
    await received(agent, store.stored, 3000);
    writeParts(scene, 1, 12);
    scene.write(500, { timeMs: timeOf(13) });
    await received(agent, store.stored, 14_000);
    assert.deepEqual(numbers(store.stored.lines), ascending(0, 14_000));
    await agent.waitFor('the sink to catch up', () => told(agent.log, 'caught_up', 'hook').length > 0);
    assert.ok(told(agent.log, 'spool_drained', 'hook').length > 0);
    // In step again: an event does not wait for a reader of its own.
    const behind = told(agent.log, 'fell_behind').length;
    scene.write(10, { timeMs: timeOf(13) });
    await received(agent, store.stored, 14_010);
    assert.equal(told(agent.log, 'fell_behind').length, behind);
    await ended(agent);
    await scene.assertExact();
    assertReceivedOnce(scene.writer.expected, store.stored);
    assert.deepEqual(gapsOf(scene), []);
  });

  test('rotated parts that are deleted meanwhile are held for it', async () => {
    await using scene = new Scene();
    const store = new WholeRequestStore(NDJSON, { keepLines: true });
    await using receiver = await ChaosReceiver.start({ store });
    await receiver.down();
    const agent = scene.start({ config: withSinks(scene.config(SMALL), smallSink(receiver.url)) });
    writeParts(scene, 10);
    await scene.archived(agent);
    await isFull(agent);
    await scene.committed(agent);
    assert.equal(scene.writer.prune(0).length, 10);
    scene.write(10, { timeMs: timeOf(10) });
    await scene.archived(agent);
    await receiver.healthy();
    await received(agent, store.stored, 10_010);
    assert.deepEqual(numbers(store.stored.lines), ascending(0, 10_010));
    await ended(agent);
    assert.deepEqual(gapsOf(scene), []);
    await scene.assertExact();
  });

  test('parts that are deleted while the agent does not run are a gap of this sink alone', async () => {
    await using scene = new Scene();
    const store = new WholeRequestStore(NDJSON, { keepLines: true });
    await using receiver = await ChaosReceiver.start({ store });
    await receiver.down();
    const config = withSinks(scene.config({ ...SMALL, shutdown_timeout: '1s' }), smallSink(receiver.url));
    const first = scene.start({ config });
    const parts = writeParts(scene, 10);
    await scene.archived(first);
    await isFull(first);
    await first.kill();
    // The sink has the first ones in its spool, and lacks a part of another and all of those behind it.
    const gone = parts.slice(-3, -1);
    for (const part of gone) rmSync(part);
    scene.write(10, { timeMs: timeOf(10) });
    await receiver.healthy();
    const second = scene.start({ config });
    await received(second, store.stored, 8010);
    await second.waitFor('two gaps', () => gapsOf(scene).length === 2);
    await ended(second);
    // With the kill, what was in flight or not committed yet comes again.
    const [spooled, rest] = [ascending(0, 7000), ascending(9000, 10_010)];
    assert.deepEqual(
      [...new Set(numbers(store.stored.lines))].sort((a, b) => a - b),
      [...spooled, ...rest],
    );
    assert.deepEqual(
      gapsOf(scene).map((gap) => (gap as { path: string }).path),
      gone,
    );
    for (const gap of gapsOf(scene)) {
      assert.match((gap as { reason: string }).reason, /deleted before the sink hook had got it/);
    }
    await scene.assertExact();
  });
});

test('with overflow: drop_oldest, the newest events are kept, and each that is dropped is counted', async (t) => {
  await using scene = new Scene();
  const store = new WholeRequestStore(NDJSON, { keepLines: true });
  await using receiver = await ChaosReceiver.start({ store });
  await receiver.down();
  const sink = smallSink(receiver.url, { overflow: 'drop_oldest' });
  const agent = scene.start({ config: withSinks(scene.config(SMALL), sink) });
  scene.write(100, { filler: 900 });
  await agent.waitFor('spooling', () => told(agent.log, 'spooling', 'hook').length > 0);
  // Little by little: what comes at once is kept, and dropped, as one.
  for (let part = 1; part <= 40; part++) {
    scene.write(100, { filler: 900, timeMs: timeOf(part) });
    await scene.archived(agent);
    if (part % 10 === 0) scene.writer.rotate('rename');
  }
  assert.ok(told(agent.log, 'spool_dropped', 'hook').length > 0);
  assert.deepEqual(told(agent.log, 'fell_behind'), []);
  const bytes = spoolBytes(scene);
  assert.ok(bytes < SPOOL_BYTES + MIB / 4, `${bytes} bytes in the spool`);
  assert.equal(store.stored.total, 0);
  await receiver.healthy();
  scene.write(10, { timeMs: timeOf(41) });
  const isLast = () => store.stored.lines.at(-1)?.includes('"auditID":"4109"') === true;
  await agent.waitFor('the last event', isLast);
  await ended(agent);
  const dropped = told(agent.log, 'spool_dropped').reduce((sum, { events }) => sum + Number(events), 0);
  t.diagnostic(`${dropped} events dropped, ${store.stored.total} received`);
  const { lost, duplicated, foreign } = store.stored.compare(scene.writer.expected);
  assert.deepEqual({ duplicated, foreign }, { duplicated: 0, foreign: 0 });
  // The request that was under way when its events were dropped from disk may have come through after all.
  assert.ok(lost > 0 && lost <= dropped && dropped <= lost + IN_FLIGHT, `${dropped} dropped, ${lost} not received`);
  const got = numbers(store.stored.lines);
  assert.deepEqual(
    got,
    got.toSorted((a, b) => a - b),
  );
  // The request that was under way, and then the newest, as many as the spool holds.
  const newest = got.slice(IN_FLIGHT);
  assert.deepEqual(newest, ascending(4110 - newest.length, 4110));
  assert.ok(newest.length > 500, `${newest.length} of the newest events`);
  await scene.assertExact();
});
