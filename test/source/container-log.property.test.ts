import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { SourceStream } from '../../src/config/types.ts';
import { criPart, dockerPart } from '../helpers/container-log.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { takeStep } from './harness-steps.ts';
import { PacedSink } from './paced-sink.ts';
import { SourceHarness } from './source-harness.ts';

/** Wall time; on a slow machine there are fewer runs, not a failure. */
const TIME_LIMIT_MS = 40_000;

const FIRST_TIME = Date.UTC(2026, 10, 20, 15);

type Out = 'stdout' | 'stderr';

/** A container that writes, and its runtime that cuts lines into parts and rotates, at any part. */
class ContainerWriter {
  /** Lines that are complete, in the order of their ends. */
  readonly complete: { readonly stream: Out; readonly text: string }[] = [];
  readonly #file: string;
  readonly #part: typeof criPart;
  #clock = FIRST_TIME;
  #lines = 0;
  #rotations = 0;
  #backup: string | undefined;
  readonly #begun = new Map<Out, string>();

  constructor(file: string, part: typeof criPart) {
    this.#file = file;
    this.#part = part;
    fs.mkdirSync(path.dirname(file), { recursive: true });
  }

  /** One part; it ends its line, or does not. */
  write(stream: Out, size: number, isPartial: boolean): void {
    this.#clock += 1;
    const before = this.#begun.get(stream);
    const text = `${before === undefined ? `${this.#lines++} ` : ''}"${'x'.repeat(size)}`;
    fs.appendFileSync(this.#file, this.#part({ text, isPartial, stream, timeMs: this.#clock }));
    const whole = (before ?? '') + text;
    if (isPartial) this.#begun.set(stream, whole);
    else {
      this.#begun.delete(stream);
      this.complete.push({ stream, text: whole });
    }
  }

  /** As kubelet does; the file before is gzipped. */
  rotate(): void {
    if (!fs.existsSync(this.#file) || fs.statSync(this.#file).size === 0) return;
    this.gzip();
    this.#rotations += 1;
    this.#backup = `${this.#file}.20261120-${String(150_000 + this.#rotations)}`;
    fs.renameSync(this.#file, this.#backup);
    fs.writeFileSync(this.#file, '');
  }

  gzip(): void {
    if (this.#backup === undefined) return;
    fs.writeFileSync(`${this.#backup}.tmp`, gzipSync(fs.readFileSync(this.#backup)));
    fs.renameSync(`${this.#backup}.tmp`, `${this.#backup}.gz`);
    fs.rmSync(this.#backup);
    this.#backup = undefined;
  }

  finishLines(): void {
    for (const stream of [...this.#begun.keys()]) this.write(stream, 1, false);
  }
}

const sink = fc.nat(1);
const only = <T extends string>(op: T) => fc.record({ op: fc.constant(op) });
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      stream: fc.constantFrom<Out>('stdout', 'stdout', 'stderr'),
      // Such that a few are more than a chunk.
      size: fc.constantFrom(1, 40, 1_200, 400_000),
      parts: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: only('rotate') },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('poll' as const), times: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('room' as const), sink, hasRoom: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('take' as const), sink, n: fc.nat(50) }) },
  { weight: 4, arbitrary: only('sweep') },
  { weight: 3, arbitrary: only('commit') },
  { weight: 1, arbitrary: only('rewind') },
  { weight: 2, arbitrary: only('pass') },
  { weight: 1, arbitrary: only('gzip') },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('reload' as const), commits: fc.boolean() }) },
  { weight: 2, arbitrary: only('crash') },
  { weight: 1, arbitrary: only('stop') },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(one: Step, harness: SourceHarness, writer: ContainerWriter): Promise<void> {
  switch (one.op) {
    case 'write':
      for (const isPartial of one.parts) writer.write(one.stream, one.size, isPartial);
      break;
    case 'rotate':
    case 'gzip':
      writer[one.op]();
      break;
    default:
      await takeStep(one, harness);
  }
}

async function finish(harness: SourceHarness): Promise<void> {
  await harness.drain();
  assert.equal(harness.source.isDrained, true, 'there is something left');
  assert.deepEqual(harness.gaps(), []);
}

function brief(lines: readonly string[]): string[] {
  return lines.map((line) => (line.length > 60 ? `${line.slice(0, 30)}… ${line.length} bytes` : line));
}

for (const [format, part] of [
  ['cri', criPart],
  ['docker', dockerPart],
] as const) {
  for (const stream of ['stdout', 'all'] as const satisfies readonly SourceStream[]) {
    test(`${format}, ${stream}: wherever lines are cut, files rotated and the agent killed, each line is taken once, in order`, async (t) => {
      const options = fuzz(60);
      t.diagnostic(`AUDITAIL_FUZZ_SEED=${options.seed}`);
      const begun = performance.now();
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (sequence) => {
          if (performance.now() - begun > TIME_LIMIT_MS && runs > 0) return;
          const sinks = [new PacedSink('one', 1), new PacedSink('other', 7)] as const;
          await using harness = new SourceHarness({ format, stream }, ...sinks);
          const writer = new ContainerWriter(harness.log, part);
          writer.write('stdout', 1, false);
          for (const one of sequence) await take(one, harness, writer);
          writer.finishLines();
          await finish(harness);
          const wanted = (one: Out | 'all') =>
            writer.complete.filter((line) => one === 'all' || line.stream === one).map(({ text }) => text);
          const expected = wanted(stream);
          if (stream === 'stdout') assert.deepEqual(brief(harness.taken), brief(expected));
          else assert.deepEqual(brief(harness.taken.toSorted()), brief(expected.toSorted()));
          for (const one of sinks) {
            const lacks = expected.filter((line) => !one.delivered.includes(line));
            assert.deepEqual(brief(lacks), [], `${one.name} lacks lines`);
            assert.deepEqual(
              brief(one.delivered.filter((line) => !expected.includes(line))),
              [],
              `${one.name}: broken`,
            );
          }
          const handed = sinks.map((one) => one.handed.length);
          const { length } = harness.taken;
          await harness.stop();
          harness.start();
          await finish(harness);
          assert.equal(harness.taken.length, length, 'taken again after another start');
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
    });
  }
}
