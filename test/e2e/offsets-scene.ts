import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { auditail, type Finished } from '../cli/cli-process.ts';
import { eventLine, HOUR_START, Scene } from './scene.ts';

/** A part of the log as it was written. */
export interface WrittenPart {
  readonly path: string;
  /** With their newlines. */
  readonly lines: readonly string[];
}

/** A host on which another agent has read the log. */
export class SwitchScene extends Scene {
  #events = 0;
  #parts = 0;

  /** Makes the live file anew with so many events. */
  live(count: number, tail = ''): WrittenPart {
    const lines = this.#lines(count);
    writeFileSync(this.log, lines.join('') + tail);
    return { path: this.log, lines };
  }

  /** Appends events to the live file. */
  append(count: number): readonly string[] {
    const lines = this.#lines(count);
    writeFileSync(this.log, lines.join(''), { flag: 'a' });
    return lines;
  }

  /** Renames the live file as lumberjack does, an hour ago. Gives its new path. */
  rotated(): string {
    this.#parts += 1;
    const target = join(this.root, 'log', `audit-2024-05-06T07-${String(this.#parts).padStart(2, '0')}-00.000.log`);
    renameSync(this.log, target);
    const past = Date.now() / 1000 - 3600;
    utimesSync(target, past, past);
    return target;
  }

  /** Writes a rotated part. */
  part(count: number): WrittenPart {
    const { lines } = this.live(count);
    return { path: this.rotated(), lines };
  }

  /** Runs a command with `-c` and a configuration. */
  async offsets(
    words: readonly string[],
    config: Readonly<Record<string, unknown>> = this.config(),
  ): Promise<Finished> {
    const file = join(this.root, 'auditail.yaml');
    writeFileSync(file, JSON.stringify(config));
    const [name, ...rest] = words;
    return auditail(['offsets', name!, '-c', file, ...rest]);
  }

  /** The same, which has to end well. */
  async offsetsDone(words: readonly string[], config?: Readonly<Record<string, unknown>>): Promise<string> {
    const { code, stdout, stderr } = await this.offsets(words, config);
    assert.equal(code, 0, `${words.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }

  async runsToEnd(config: Readonly<Record<string, unknown>> = this.config()): Promise<void> {
    const { code, log } = await this.runToEnd({ config });
    assert.equal(code, 0, JSON.stringify(log.slice(-5)));
  }

  /** All lines of the archive, sorted. */
  archiveLines(archive = this.archive): string[] {
    const files = globSync(join(archive, '**/*.gz'));
    const text = files.map((file) => gunzipSync(readFileSync(file)).toString()).join('');
    return text === '' ? [] : text.split(/(?<=\n)/).toSorted();
  }

  /** The archive has these lines, each once, and nothing else. */
  assertArchived(lines: readonly string[], archive?: string): void {
    assert.deepEqual(this.archiveLines(archive), lines.toSorted());
  }

  get database(): string {
    return join(this.state, 'state.sqlite');
  }

  /** Everything in the state database, as text; empty where there is none. */
  dump(): string {
    return existsSync(this.database) ? execFileSync('sqlite3', [this.database, '.dump'], { encoding: 'utf8' }) : '';
  }

  query(sql: string): Record<string, unknown>[] {
    const out = execFileSync('sqlite3', ['-json', this.database, sql], { encoding: 'utf8' });
    return out.trim() === '' ? [] : (JSON.parse(out) as Record<string, unknown>[]);
  }

  #lines(count: number): string[] {
    return Array.from({ length: count }, () => {
      const id = this.#events++;
      return `${eventLine({ id, timeMs: HOUR_START + id * 10 })}\n`;
    });
  }
}

/** Bytes of the first `count` lines. */
export function bytesOf(lines: readonly string[], count = lines.length): number {
  return Buffer.byteLength(lines.slice(0, count).join(''));
}
