import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { hashLine } from '../helpers/line-multiset.ts';
import { BackupGzip } from '../helpers/lumberjack.ts';
import { RotatingWriter, type RotationStyle } from '../helpers/rotating-writer.ts';
import type { SourceHarness } from './source-harness.ts';

/** 2026-11-20T15:00:00Z; each line is a millisecond later than the one before. */
const FIRST_TIME = Date.UTC(2026, 10, 20, 15);

/** The log of a {@link SourceHarness} from the writer's side: small lines, all different, in the order of their times. */
export class DisturbedLog {
  readonly writer: RotatingWriter;
  readonly path: string;
  /** The part that the last rotation left. */
  backup: string | undefined;
  #clock = FIRST_TIME;

  constructor(file: string) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.path = file;
    this.writer = new RotatingWriter(file, { now: () => this.#clock });
  }

  /** Writes `count` lines and gives them. Each ends with its time, as events do: a reader knows its place by the 1 KiB before it. */
  write(count: number, size = 40): string[] {
    const lines = Array.from({ length: count }, () => {
      this.#clock += 1;
      return `{"t":${this.#clock},"pad":"${'x'.repeat(size)}","end":${this.#clock}}`;
    });
    this.writer.writeLines(lines);
    return lines;
  }

  rotate(style: RotationStyle = 'rename'): string {
    this.backup = this.writer.rotate(style);
    return this.backup;
  }

  /** Gzips the last rotated part, as far as it is still there. */
  gzip(): void {
    if (this.backup === undefined || !existsSync(this.backup)) return;
    new BackupGzip(this.backup).finish();
  }

  /** A gzip beside its original: the last moment before lumberjack or logrotate deletes the original. */
  gzipBeside(): void {
    const content = new BackupGzip(this.backup!);
    content.step(content.left);
    content.abandon();
  }

  [Symbol.dispose](): void {
    this.writer.close();
  }
}

/** Nothing lost, nothing twice, nothing that was never written. `where` is told when it is not so. */
export function assertTaken(harness: SourceHarness, log: DisturbedLog, where = ''): void {
  assertLines(harness.taken, log, where);
}

/** As {@link assertTaken}, of any lines. With `repeats` a line may come more than once. */
export function assertLines(
  lines: readonly string[],
  { writer }: DisturbedLog,
  where = '',
  { repeats }: { repeats: boolean } = { repeats: false },
): void {
  writer.expected.clearFound();
  const wrong: string[] = [];
  for (const line of repeats ? new Set(lines) : lines) {
    const found = writer.expected.find(hashLine(Buffer.from(line, 'latin1')));
    if (found !== 'expected') wrong.push(`${found}: ${line.slice(0, 80)}`);
  }
  for (const { hash } of writer.expected.missing()) wrong.push(`lost: ${writer.describe(hash).slice(0, 80)}`);
  assert.deepEqual(
    wrong.slice(0, 8),
    [],
    `${where} ${lines.length} taken of ${writer.expected.total}, ${wrong.length} wrong`,
  );
}
