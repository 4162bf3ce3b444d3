import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { assertLines, assertTaken, DisturbedLog } from './disturbed-log.ts';
import { takeStep } from './harness-steps.ts';
import { PacedSink } from './paced-sink.ts';
import { SourceHarness } from './source-harness.ts';

/** Wall time; on a slow machine there are fewer runs, not a failure. */
const TIME_LIMIT_MS = 30_000;

const MAX_LINE_BYTES = 2_000;

const sink = fc.nat(1);
const only = <T extends string>(op: T) => fc.record({ op: fc.constant(op) });
const CALM = [
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      count: fc.integer({ min: 1, max: 30 }),
      // Small, over 1 KiB, oversize, and such that a chunk does not hold them all.
      size: fc.constantFrom(10, 40, 1_200, 3_000, 90_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('rotate' as const),
      style: fc.constantFrom('rename' as const, 'rename-gzip' as const, 'copytruncate' as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('poll' as const), times: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('room' as const), sink, hasRoom: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('take' as const), sink, n: fc.nat(50) }) },
  { weight: 3, arbitrary: only('sweep') },
  { weight: 2, arbitrary: only('commit') },
  { weight: 1, arbitrary: only('rewind') },
  { weight: 2, arbitrary: only('pass') },
  { weight: 1, arbitrary: only('gzip') },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('reload' as const), commits: fc.boolean() }) },
] as const;
const calmStep = fc.oneof(...CALM, { weight: 2, arbitrary: only('delete') });
const anyStep = fc.oneof(...CALM, { weight: 2, arbitrary: only('crash') }, { weight: 1, arbitrary: only('stop') });
type Step =
  typeof calmStep extends fc.Arbitrary<infer A>
    ? A | (typeof anyStep extends fc.Arbitrary<infer B> ? B : never)
    : never;

async function take(step: Step, harness: SourceHarness, log: DisturbedLog): Promise<void> {
  switch (step.op) {
    case 'write':
      log.write(step.count, step.size);
      break;
    case 'rotate':
      // One file after another with a first line of its own, as an apiserver's are.
      if (fs.statSync(log.path).size > 0) log.rotate(step.style);
      break;
    case 'gzip':
      if (log.backup?.endsWith('.gz') === false) log.gzip();
      break;
    case 'delete':
      // What the agent has seen it holds open.
      await harness.read();
      harness.pass(6_000);
      await harness.read();
      if (log.backup !== undefined) fs.rmSync(log.backup, { force: true });
      break;
    default:
      await takeStep(step, harness);
  }
}

async function finish(harness: SourceHarness): Promise<void> {
  await harness.drain();
  assert.deepEqual(harness.gaps(), []);
}

/** Within a segment, whatever the order in which its parts were found. */
function assertAscending({ places, name }: PacedSink): void {
  const last = new Map<number, number>();
  for (const { segment, offset } of places) {
    assert.ok(offset > (last.get(segment) ?? -1), `${name} was handed ${offset} after ${last.get(segment)}`);
    last.set(segment, offset);
  }
}

async function property(
  t: { diagnostic(text: string): void },
  steps: fc.Arbitrary<Step>,
  check: (sink: PacedSink, log: DisturbedLog) => void,
): Promise<void> {
  const options = fuzz(50);
  t.diagnostic(`AUDITAIL_FUZZ_SEED=${options.seed}`);
  const begun = performance.now();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (sequence) => {
      if (performance.now() - begun > TIME_LIMIT_MS && runs > 0) return;
      const sinks = [new PacedSink('one', 1), new PacedSink('other', 7)] as const;
      await using harness = new SourceHarness({ maxLineBytes: MAX_LINE_BYTES }, ...sinks);
      using log = new DisturbedLog(harness.log);
      log.write(1);
      for (const step of sequence) await take(step, harness, log);
      await finish(harness);
      assertTaken(harness, log);
      for (const one of sinks) check(one, log);
      const handed = sinks.map((one) => one.handed.length);
      await harness.stop();
      harness.start();
      await finish(harness);
      assert.deepEqual(
        sinks.map((one) => one.handed.length),
        handed,
        'handed again after another start',
      );
      runs += 1;
    }),
    options,
  );
  t.diagnostic(`${runs} runs`);
  assert.ok(runs >= 5, `only ${runs} runs in ${TIME_LIMIT_MS} ms`);
}

test('whatever room they have, sinks at their own pace are handed each line once, in order', (t) =>
  property(t, calmStep, (one, log) => {
    assertLines(one.handed, log, one.name);
    assertAscending(one);
  }));

test('wherever the agent dies, sinks at their own pace get each line, and none that is durably taken again', (t) =>
  property(t, anyStep, (one, log) => assertLines(one.delivered, log, one.name, { repeats: true })));
