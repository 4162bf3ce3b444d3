/** A log that loses its end again and again, whatever its reader does meanwhile, and whatever fails. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { type HarnessStep, takeStep } from './harness-steps.ts';
import { PacedSink } from './paced-sink.ts';
import { SourceHarness } from './source-harness.ts';
import { Log, lines } from './written-log.ts';

interface Standing {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** The reader said that it had seen it, and was not killed since. */
  seen: boolean;
}

type Step =
  | HarnessStep
  | { readonly op: 'write'; readonly count: number }
  | { readonly op: 'rotate' }
  | { readonly op: 'cut'; readonly lines: number; readonly within: number; readonly later: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('write' as const), count: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('poll' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('sweep' as const) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('commit' as const) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('rewind' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('pass' as const, 'crash' as const, 'rotate' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reload' as const), commits: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('room' as const), sink: fc.constant(0), hasRoom: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('take' as const), sink: fc.constant(0), n: fc.nat(3) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('cut' as const),
      lines: fc.integer({ min: 1, max: 40 }),
      within: fc.constantFrom(0, 0, 25),
      later: fc.integer({ min: 1, max: 60 }),
    }),
  },
);

/** The writer's side: what stands where, and what stood where and is gone. */
class World {
  readonly harness: SourceHarness;
  readonly log: Log;
  readonly #rotated: Standing[] = [];
  #live: Standing[] = [];
  readonly gone: Standing[] = [];

  constructor(harness: SourceHarness) {
    this.harness = harness;
    this.log = new Log(harness.log);
  }

  get #open() {
    return this.harness.source.segments().find((segment) => segment.live);
  }

  get standing(): Standing[] {
    return [...this.#rotated, ...this.#live];
  }

  write(count: number, torn = ''): void {
    let at = this.#live.at(-1)?.end ?? 0;
    const added = lines(count);
    this.log.write(added);
    for (const [index, line] of added.entries()) {
      const text = index === 0 ? torn + line : line;
      this.#live.push({ text, start: at, end: at + text.length + 1, seen: false });
      at += text.length + 1;
    }
  }

  async take(one: Step): Promise<void> {
    if (one.op === 'write') return this.write(one.count);
    if (one.op === 'cut') return this.#cut(one);
    if (one.op === 'rotate') {
      if (this.#live.length === 0) return;
      this.log.rotate();
      this.#rotated.push(...this.#live.splice(0));
      return;
    }
    await takeStep(one, this.harness);
    if (one.op === 'crash') for (const line of [...this.standing, ...this.gone]) line.seen = false;
    // One that changed while nobody was there counts as seen when that was gone into.
    if (one.op === 'sweep' && this.#open?.sizeSeen === fs.statSync(this.log.path).size)
      for (const line of this.standing) line.seen = true;
  }

  /** The first line stays: a log that loses that is another one. */
  async #cut({ lines: most, within, later }: Step & { op: 'cut' }): Promise<void> {
    const count = Math.min(most, this.#live.length - 1);
    if (count <= 0) return;
    const lost = this.#live.splice(-count);
    const end = this.#live.at(-1)!.end;
    fs.truncateSync(this.log.path, end + within);
    this.gone.push(...lost);
    // What is seen and never read is found missing only where somebody looks before it is grown over.
    const live = this.#open;
    if (live !== undefined && live.sizeSeen > Math.max(live.position, live.dropped?.offset ?? 0))
      await this.harness.source.sweep();
    this.write(later, lost[0]!.text.slice(0, within));
  }
}

function assertAccounted({ harness, standing, gone }: World, sink: PacedSink): void {
  const gaps = harness.gaps();
  const isTold = ({ start, end }: Standing) =>
    gaps.some(({ startOffset, endOffset }) => startOffset <= start && end <= (endOffset ?? Infinity));
  const times = Map.groupBy(harness.taken, (line) => line);
  const handed = new Set(sink.handed);
  for (const line of standing) {
    assert.equal(times.get(line.text)?.length, 1, `${line.text} stands at ${line.start}`);
    assert.ok(handed.has(line.text), `${line.text} stands at ${line.start}, and the sink never got it`);
  }
  for (const line of gone) {
    const count = times.get(line.text)?.length ?? 0;
    assert.ok(count <= 1, `${line.text} came ${count} times`);
    if (count === 0 && line.seen)
      assert.ok(isTold(line), `${line.text} was seen at ${line.start}, and no gap tells of it`);
    if (count === 1) assert.ok(handed.has(line.text) || isTold(line), `the sink lost ${line.text} at ${line.start}`);
  }
  for (const { startOffset, endOffset } of gaps) {
    const isTrue = gone.some(({ start, end }) => end > startOffset && start < (endOffset ?? Infinity));
    assert.ok(isTrue, `a gap from ${startOffset} to ${endOffset}, where nothing is gone`);
  }
}

test('each line comes once, or is told as a gap when it was seen: a log is cut anywhere, at any moment', async (t) => {
  let told = 0;
  const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
    const sink = new PacedSink('paced');
    await using harness = new SourceHarness({}, sink);
    const world = new World(harness);
    world.write(10);
    await harness.settle();
    for (const one of steps) await world.take(one);
    await harness.drain();
    assertAccounted(world, sink);
    told += harness.gaps().length;
  });
  const options = fuzz(60);
  await fc.assert(property, options);
  t.diagnostic(`AUDITAIL_FUZZ_SEED=${options.seed}: ${told} gaps`);
  assert.ok(told > 0, 'no gap was told');
});
