import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SourceConfig } from '../../src/config/types.ts';
import { SourceHarness } from './source-harness.ts';

let clock = 1_790_000_000_000;

/** Events whose times go on where the last ones ended, so that no two lines are alike. */
export function lines(count: number, size = 40): string[] {
  return Array.from({ length: count }, () => {
    clock += 1;
    return `{"t":${clock},"pad":"${'x'.repeat(size)}"}`;
  });
}

/** A writer's side of a log, with what it ever wrote. */
export class Log {
  readonly written: string[] = [];
  readonly path: string;
  #backups = 0;

  constructor(file: string) {
    this.path = file;
    fs.mkdirSync(path.dirname(file), { recursive: true });
  }

  write(added: string[]): void {
    this.written.push(...added);
    fs.appendFileSync(this.path, added.map((line) => `${line}\n`).join(''));
  }

  /** lumberjack's way; gives the backup's path. */
  rotate(): string {
    this.#backups += 1;
    const number = String(this.#backups).padStart(3, '0');
    const backup = this.path.replace(/\.log$/, `-2026-11-20T15-04-05.${number}.log`);
    fs.renameSync(this.path, backup);
    fs.writeFileSync(this.path, '');
    return backup;
  }

  copytruncate(): string {
    for (let n = this.#backups; n > 0; n -= 1) fs.renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`);
    this.#backups += 1;
    fs.copyFileSync(this.path, `${this.path}.1`);
    fs.truncateSync(this.path, 0);
    return `${this.path}.1`;
  }
}

/** Gzips a rotated part as its writer would; gives the new path. */
export function gzip(file: string): string {
  fs.writeFileSync(`${file}.gz`, gzipSync(fs.readFileSync(file)));
  fs.rmSync(file);
  return `${file}.gz`;
}

/** A source on an empty directory, and the log that it reads. */
export async function withLog(
  run: (harness: SourceHarness, log: Log) => Promise<void>,
  config: Partial<SourceConfig> = {},
): Promise<void> {
  await using harness = new SourceHarness(config);
  await run(harness, new Log(harness.log));
}

/** Nothing lost, nothing twice; the first differences are shown, not thousands of lines. */
export function assertAll(harness: SourceHarness, written: readonly string[]): void {
  const surplus = new Map<string, number>();
  for (const line of harness.taken) surplus.set(line, (surplus.get(line) ?? 0) + 1);
  for (const line of written) surplus.set(line, (surplus.get(line) ?? 0) - 1);
  const wrong = [...surplus].filter(([, count]) => count !== 0);
  const shown = wrong.slice(0, 5).map(([line, count]) => [line.replace(/\0+/g, '<NULs>').slice(0, 200), count]);
  assert.deepEqual(shown, [], `${harness.taken.length} taken of ${written.length}, ${wrong.length} wrong`);
}

/** As {@link assertAll}, without a gap, now and after another start. */
export async function assertAllForGood(harness: SourceHarness, written: readonly string[]): Promise<void> {
  assertAll(harness, written);
  assert.deepEqual(harness.gaps(), []);
  await harness.stop();
  harness.start();
  await harness.settle();
  assertAll(harness, written);
  assert.deepEqual(harness.gaps(), []);
}
