/**
 * The host lost power: the log, which its writer never syncs, ends before the place that it was archived up to, at a line's
 * end or within a line, or holds NULs from there on, and grows on with other lines. What stands in the log is archived
 * once, what was archived before stays, and nothing is archived again.
 */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Random } from '../../bench/random.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { RotatingWriter, type RotationStyle } from '../helpers/rotating-writer.ts';
import { PartLines } from './part-lines.ts';
import { killed, Scene, stopped } from './rotation-scene.ts';

/** Where a log ends after the power loss. */
interface Cut {
  /** Bytes that are left, of a log with this content. */
  readonly left: (content: Buffer, random: Random) => number;
  /** NUL bytes behind them. */
  readonly nulls?: (content: Buffer, left: number) => number;
  /** The beginning, by which the log is known, is gone as well: it cannot be known again, and that is told. */
  readonly losesHead?: boolean;
  /** Nothing but the beginning is left: the file itself is known again, a copy of it may as well be another log. */
  readonly keepsOnlyHead?: boolean;
}

/** Behind the bytes that a log is known by, and within its first line. */
const HEAD_END = 1200;

const upTo = (content: Buffer, end: number): number => content.lastIndexOf('\n', end - 1) + 1;
const somewhere = (content: Buffer, random: Random): number => HEAD_END + random.below(content.length - HEAD_END);
const toOldLength = (content: Buffer, left: number): number => content.length - left;

const CUTS: Readonly<Record<string, Cut>> = {
  'the last line': { left: (content) => upTo(content, content.length - 1) },
  'half of the last line': { left: (content) => content.length - 100 },
  'several commits, at a line end': { left: (content, random) => upTo(content, somewhere(content, random)) },
  'several commits, within a line': { left: somewhere },
  'all but the start of the first line': { left: () => HEAD_END, keepsOnlyHead: true },
  'several commits, at a line end, and NULs up to the old length': {
    left: (content, random) => upTo(content, somewhere(content, random)),
    nulls: toOldLength,
  },
  'several commits, within a line, and NULs up to the old length': { left: somewhere, nulls: toOldLength },
  'within a line, and more NULs than were ever written': { left: somewhere, nulls: () => 3_000_000 },
  everything: { left: () => 0, losesHead: true },
  'everything, and NULs up to the old length': { left: () => 0, nulls: toOldLength, losesHead: true },
};

/** A log, what its agent has committed, and what its archive should hold. */
class PoweredLog {
  readonly scene: Scene;
  readonly lines: PartLines;
  readonly random: Random;
  readonly expected = new LineMultiset();
  /** Lines written and not yet known to be archived, with the end of each. */
  #pending: { readonly line: string; readonly end: number }[] = [];
  #size = 0;

  constructor(scene: Scene, seed: number) {
    this.scene = scene;
    // The first line of each file is longer than what it is known by: it can be cut within, and be known again.
    this.lines = new PartLines('long-first', seed);
    this.random = new Random(seed);
  }

  write(lines: readonly string[]): void {
    for (const line of lines) {
      appendFileSync(this.scene.log, `${line}\n`, { mode: 0o600 });
      this.#size += Buffer.byteLength(line) + 1;
      this.#pending.push({ line, end: this.#size });
    }
  }

  get written(): number {
    return this.expected.total + this.#pending.length;
  }

  /** Everything up to `offset` is in the archive. */
  archivedUpTo(offset: number): void {
    for (const { line, end } of this.#pending) if (end <= offset) this.expected.expect(hashLine(line));
    this.#pending = this.#pending.filter(({ end }) => end > offset);
  }

  archived(): void {
    this.archivedUpTo(this.#size);
  }

  /** Cuts the log, and lets it grow on with these lines, of which the first stands behind what is left of a line. */
  lose(cut: Cut, lines: readonly string[]): void {
    const content = readFileSync(this.scene.log);
    const left = cut.left(content, this.random);
    const nulls = cut.nulls?.(content, left) ?? 0;
    truncateSync(this.scene.log, left);
    truncateSync(this.scene.log, left + nulls);
    this.#pending = this.#pending.filter(({ end }) => end <= left);
    this.#size = left + nulls;
    const torn = content.subarray(upTo(content, left), left);
    if (torn.length > 0) this.expected.expect(hashLine(Buffer.concat([torn, Buffer.alloc(nulls)])));
    this.write(lines);
  }

  rotate(style: RotationStyle): void {
    const writer = new RotatingWriter(this.scene.log);
    writer.rotate(style);
    writer.close();
    // What was pending there is read from there: no offset of the new file concerns it.
    this.archived();
    this.#size = 0;
  }

  /** The committed offset of the live file. */
  committedOffset(): number {
    const [row] = this.scene.query<{ offset: number }>(
      `SELECT offset FROM offsets JOIN segments ON segments.id = segment WHERE path = '${this.scene.log}'
       ORDER BY segments.id DESC LIMIT 1`,
    );
    return row?.offset ?? 0;
  }

  /** Reads the log with several commits. */
  async archiveInSteps(steps: number): Promise<void> {
    const agent = await this.scene.startReading();
    const before = this.scene.committedLines();
    let added = 0;
    for (let step = 0; step < steps; step += 1) {
      const part = this.lines.part();
      this.write(part);
      added += part.length;
      await this.scene.committed(agent, before + added);
    }
    await stopped(agent);
    this.archived();
  }

  async assertArchived(): Promise<void> {
    await this.scene.drain();
    this.archived();
    await this.scene.assertArchive(this.expected);
  }
}

let seed = 0;
describe('the log lost', { concurrency: 3 }, () => {
  for (const [name, cut] of Object.entries(CUTS)) {
    for (const rotation of [undefined, 'rename', 'rename-gzip', 'copytruncate'] as const) {
      seed += 1;
      const own = seed;
      test(`${name}; then ${rotation ?? 'no rotation'} (seed ${own})`, async () => {
        using scene = new Scene();
        const log = new PoweredLog(scene, own);
        await log.archiveInSteps(5);
        log.lose(cut, log.lines.take(4));
        if (rotation !== undefined) {
          log.rotate(rotation);
          log.write(log.lines.part());
        }
        await log.assertArchived();
        const gaps = scene.gaps().map(({ end_offset, start_offset }) => ({ start_offset, end_offset }));
        const isMoved = rotation === 'rename-gzip' || rotation === 'copytruncate';
        if (cut.keepsOnlyHead === true && isMoved) assert.ok(gaps.length <= 1, JSON.stringify(gaps));
        else assert.equal(gaps.length, cut.losesHead === true ? 1 : 0, JSON.stringify(gaps));
        assert.equal(gaps[0]?.end_offset ?? null, null);
        // And on from there, with the agent running.
        await log.archiveInSteps(1);
        await log.assertArchived();
      });
    }
  }
});

/** Power losses one after the other, each of an agent that was killed with lines on their way. */
test('the log lost its end again and again', { concurrency: 3 }, async (t) => {
  await Promise.all(
    [1, 2, 3, 4].map((own) =>
      t.test(`seed ${own}`, async () => {
        using scene = new Scene();
        const log = new PoweredLog(scene, own);
        const { random, lines } = log;
        for (let round = 0; round < 5; round += 1) {
          log.write(lines.part());
          const agent = await scene.startReading();
          await agent.waitFor('the live log', () => scene.unread() === 0);
          const wanted = 1 + random.below(3);
          for (let step = 0; step < wanted; step += 1) {
            const known = scene.committedLines();
            log.write(lines.take(1 + random.below(40)));
            if (step < wanted - 1) await scene.committed(agent, known + 1);
          }
          await killed(agent);
          log.archivedUpTo(log.committedOffset());
          log.lose(random.pick(Object.values(CUTS)), lines.take(1 + random.below(4)));
          if (random.chance(0.5)) log.rotate(random.pick(['rename', 'rename-gzip', 'copytruncate']));
        }
        await log.assertArchived();
      }),
    ),
  );
});
