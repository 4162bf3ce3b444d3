import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { type Database, openDatabase } from '../../src/checkpoint/database.ts';
import { type Gap, GapRecords } from '../../src/checkpoint/gap-records.ts';
import { SegmentRecords } from '../../src/checkpoint/segment-records.ts';
import type { SourceConfig } from '../../src/config/types.ts';
import type { LineHandler } from '../../src/source/line-handler.ts';
import type { Segment } from '../../src/source/segment.ts';
import { Source } from '../../src/source/source.ts';
import { SourceOccurrences } from '../../src/telemetry/source-occurrences.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import type { PacedSink } from './paced-sink.ts';

const SINK = 'archive';

/** A source on real files and a real database, driven step by step, with a clock of its own. */
export class SourceHarness {
  readonly dir: string;
  readonly log: string;
  /** Lines in the order in which they were taken; a crash takes back what was not committed. */
  taken: string[] = [];
  nulls = 0;
  longLines = 0;
  /** Of streams that are not read. */
  otherLines = 0;
  readonly telemetry = new Telemetry(pino({ level: 'silent' }));
  /** Sinks at their own pace; a change counts from the next start. */
  paced: PacedSink[];
  /** Whether there is a file sink besides; a change counts from the next start. */
  hasArchive = true;
  readonly #config: SourceConfig;
  #source!: Source;
  #db!: Database;
  #committed = 0;
  /** Ahead of the host's clock by what the test let pass. */
  #ahead = 0;

  constructor(config: Partial<SourceConfig> = {}, ...paced: PacedSink[]) {
    this.paced = paced;
    this.dir = mkdtempSync(path.join(os.tmpdir(), 'auditail-source-'));
    this.log = path.join(this.dir, 'log', 'audit.log');
    this.#config = {
      name: 'apiserver',
      tag: 'audit',
      path: this.log,
      exclude: [],
      format: 'json',
      stream: undefined,
      readFrom: 'head',
      maxLineBytes: 16 * 1024 * 1024,
      refreshIntervalMs: 5_000,
      rotateWaitMs: 5_000,
      heldBytes: 10 * 1024 ** 3,
      ...config,
    };
    this.#open();
  }

  get source(): Source {
    return this.#source;
  }

  pass(ms: number): void {
    this.#ahead += ms;
  }

  /** Looks and reads until nothing more comes. */
  async read(): Promise<void> {
    do {
      await this.#source.sweep();
      while (await this.#source.poll());
    } while (this.#source.wantsSweep);
  }

  async commit(): Promise<void> {
    const progress = this.#source.progress();
    const records = new SegmentRecords(this.#db);
    this.#db
      .transaction(() =>
        records.saveProgress(
          progress.map((one) => one.progress),
          Date.now(),
        ),
      )
      .immediate();
    this.#committed = this.taken.length;
    for (const one of progress) this.#source.committed(one.segment, one.progress, one.position);
  }

  /** What the agent does after an I/O error. */
  rewind(): void {
    this.taken.length = this.#committed;
    this.#source.rewind();
  }

  /** Reads on until rotated segments are finished and lost ones are told, and commits. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      await this.read();
      await this.commit();
      this.pass(this.#config.rotateWaitMs + 1);
    }
  }

  /** Ends without a commit, as `kill -9` does. */
  async crash(): Promise<void> {
    this.taken.length = this.#committed;
    for (const sink of this.paced) sink.restart();
    await this.#close();
  }

  start(): void {
    this.#open();
  }

  /** What sinks at their own pace have in memory is gone with it. */
  async stop(): Promise<void> {
    await this.commit();
    for (const sink of this.paced) sink.restart();
    await this.#close();
  }

  /**
   * Another source goes on with what this one has open, and with the sinks as they are.
   *
   * @param options.commits without it the commit at the end fails, and what was not committed before is read again.
   */
  async reload({ commits } = { commits: true }): Promise<void> {
    if (commits) await this.commit();
    this.taken.length = this.#committed;
    await this.#source.close({ keepsFiles: true });
    this.#db.close();
    this.#open(this.#source.segments());
  }

  /** Until every sink has all there is. */
  async drain(): Promise<void> {
    for (const one of this.paced) one.hasRoom = true;
    for (let round = 0; round < 3; round += 1) {
      await this.settle();
      for (const one of this.paced) one.takeAll();
    }
    await this.settle();
    assert.equal(this.source.isBehind, false, 'a sink is still behind');
  }

  gaps(): Gap[] {
    return new GapRecords(this.#db).list(this.#config.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    await this.#source.close();
    if (this.#db.open) this.#db.close();
  }

  #open(held: readonly Segment[] = []): void {
    this.#db = openDatabase(path.join(this.dir, 'state'), 'process');
    this.#source = new Source(this.#config, {
      records: new SegmentRecords(this.#db),
      gaps: new GapRecords(this.#db),
      occurrences: new SourceOccurrences(this.telemetry, this.#config.name),
      handler: this.#handler(),
      sinks: [
        ...(this.hasArchive ? [{ name: SINK, pace: undefined }] : []),
        ...this.paced.map((pace) => ({ name: pace.name, pace })),
      ],
      held,
      commit: () => this.commit(),
      requestCommit: () => undefined,
      now: () => Date.now() + this.#ahead,
      elapsed: () => performance.now() + this.#ahead,
    });
  }

  #handler(): LineHandler {
    const records = new SegmentRecords(this.#db);
    const sinks = this.paced;
    const archives = this.hasArchive ? 1 : 0;
    const take = (segment: Segment, offset: number, line: string) => {
      if (archives > 0 && offset >= segment.from[0]!) this.taken.push(line);
      for (const [index, sink] of sinks.entries())
        if (offset >= segment.from[index + archives]!) sink.append(segment, offset, line, records);
    };
    return {
      line: (segment, buffer, start, end, offset) => take(segment, offset, buffer.toString('latin1', start, end)),
      badLine: (segment, buffer, start, end, offset) => take(segment, offset, buffer.toString('latin1', start, end)),
      passed: (segment, otherLines) => {
        if (!segment.isRepeat) this.otherLines += otherLines;
      },
      longLine: async (segment, offset) => {
        if (!segment.isRepeat) this.longLines += 1;
        const pieces: Buffer[] = [];
        return {
          piece: async (buffer, start, end) => void pieces.push(Buffer.from(buffer.subarray(start, end))),
          end: async () => take(segment, offset, Buffer.concat(pieces).toString('latin1')),
        };
      },
      eventTime: (buffer, start, end) => {
        const text = buffer.toString('latin1', start, end);
        const time = /"t":(\d+)/.exec(text);
        if (time !== null && this.#config.format === 'json') return Number(time[1]);
        // What a container's runtime writes on each line.
        const written = /\d{4}-\d{2}-\d{2}T[\d:.]+Z/.exec(text);
        return written === null ? undefined : Date.parse(written[0]);
      },
      nulls: (segment, count) => {
        if (!segment.isRepeat) this.nulls += count;
      },
    };
  }
}
