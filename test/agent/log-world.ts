import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseConfig } from '../../src/config/parse-config.ts';
import { type Config, ENDINGS } from '../../src/config/types.ts';
import { compareArchive } from '../helpers/archive-reader.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { RotatingWriter, type RotationStyle } from '../helpers/rotating-writer.ts';

export const LINE_KINDS = ['event', 'clusterWide', 'repeated', 'text', 'bytes', 'blank', 'long', 'big'] as const;
export type LineKind = (typeof LINE_KINDS)[number];

export const NAMESPACES = ['alpha', 'beta', 'gamma'] as const;

/** Longer lines go through in pieces; the other sources keep the default. */
const MAX_LINE_BYTES = 2048;

/** 2026-01-15T09:00:00Z. Each line is four minutes later, so that there are several hours. */
const FIRST_TIME = Date.UTC(2026, 0, 15, 9);
const STEP_MS = 4 * 60_000;

interface Log {
  readonly writer: RotatingWriter;
  readonly tag: string;
  readonly maxLineBytes: number;
  readonly path: string;
  /** Counts the files that were written to. */
  segment: number;
  /** Nothing was written to this file yet. */
  isFresh: boolean;
  /** The writer's own file, which may have another name by now. */
  isLate: boolean;
}

/**
 * Three logs on disk, of a source that is one file and one that is a directory, a configuration that archives them twice,
 * and the lines that each archive should hold.
 */
export class LogWorld {
  readonly root: string;
  readonly config: Config;
  readonly logs: readonly Log[];
  /** By sink; `sent` is the receiver's, which is sent no line that is no event, or too long. */
  expected = expectNothing();
  #serial = 0;
  #clock = FIRST_TIME;

  /** @param options.receiver where everything is sent to, too. */
  constructor(options: {
    append: boolean;
    readFrom?: 'head' | 'tail';
    receiver?: string;
    compress?: 'gzip' | 'zstd';
  }) {
    const { compress = 'gzip' } = options;
    this.root = mkdtempSync(path.join(os.tmpdir(), 'auditail-world-'));
    for (const dir of ['one', 'many']) mkdirSync(path.join(this.root, dir));
    const open = (name: string, tag: string, maxLineBytes: number): Log => ({
      writer: new RotatingWriter(path.join(this.root, name), { append: options.append, now: () => this.#clock }),
      tag,
      maxLineBytes,
      path: path.join(this.root, name),
      segment: 0,
      isFresh: true,
      isLate: false,
    });
    this.logs = [
      open('one/audit.log', 'audit', MAX_LINE_BYTES),
      open('many/a.log', 'node', 2 ** 20),
      open('many/b.log', 'node', 2 ** 20),
    ];
    const shared = { refresh_interval: '10ms', rotate_wait: '0s', read_from: options.readFrom ?? 'head' };
    this.config = parseConfig(
      JSON.stringify({
        state_dir: path.join(this.root, 'state'),
        threads: 1,
        memory_limit: '8MiB',
        commit: { interval: '1h', durability: 'process' },
        sources: [
          { ...shared, name: 'one', tag: 'audit', path: this.logs[0]!.path, max_line_bytes: `${MAX_LINE_BYTES}B` },
          { ...shared, name: 'many', tag: 'node', path: path.join(this.root, 'many'), max_line_bytes: '1MiB' },
        ],
        sinks: [
          {
            name: 'all',
            type: 'file',
            match: '**',
            path: path.join(this.root, `all/\${tag}.%Y%m%d%H.log${ENDINGS[compress]}`),
            compress,
          },
          {
            name: 'some',
            type: 'file',
            match: 'audit.{alpha,beta} node.alpha',
            path: path.join(this.root, 'some/%Y%m%d/${tag[1..]}.log'),
            compress: 'none',
          },
          ...(options.receiver === undefined ? [] : [receiverSink(options.receiver)]),
        ],
      }),
      { file: 'test.yaml', env: {} },
    );
  }

  write(index: number, kind: LineKind, choice: number): void {
    const log = this.logs[index]!;
    const line = this.#line(log, kind, choice);
    log.writer.writeLines([line]);
    if (line.length > 0) this.#expect(log, line);
    log.isFresh = false;
  }

  /** Writes a line in two parts, with something in between. A part of a file that is not the live one would be its end. */
  async writeInTwo(index: number, choice: number, between: () => Promise<void>): Promise<void> {
    const log = this.logs[index]!;
    if (log.isLate) return;
    const line = this.#line(log, 'event', choice);
    const at = choice % line.length;
    log.writer.writePart(line.subarray(0, at));
    await between();
    log.writer.writeLines([line.subarray(at)]);
    this.#expect(log, line);
    log.isFresh = false;
  }

  rotate(index: number, style: RotationStyle): void {
    const log = this.logs[index]!;
    // A writer that is still in an older file is not concerned by what happens to the live one.
    const wasLate = log.isLate;
    const sizeBefore = statSync(log.path).size;
    this.#clock += 1;
    log.writer.rotate(style);
    if (style === 'rename-late') log.isLate = true;
    else if (style !== 'copytruncate' || (!wasLate && sizeBefore > 0)) this.#newFile(log);
    if (style !== 'rename-late' && style !== 'copytruncate') log.isLate = false;
  }

  /** A writer that went on in the old file goes to the new one. */
  reopen(index: number): void {
    const log = this.logs[index]!;
    log.writer.reopen();
    if (log.isLate) this.#newFile(log);
    log.isLate = false;
  }

  /** Expects nothing of what was written until now. */
  forget(): void {
    this.expected = expectNothing();
  }

  /** Reads both archives with another reader; what is wrong with them, in words. */
  async faults(): Promise<string[]> {
    const faults: string[] = [];
    for (const sink of ['all', 'some'] as const) {
      const directory = path.join(this.root, sink);
      mkdirSync(directory, { recursive: true });
      const last = new Map<string, number>();
      const { lost, duplicated, foreign, files, examples } = await compareArchive(directory, this.expected[sink], {
        onLine: (file, { bytes }) => {
          const place = /"log":"([^"]+)","segment":(\d+),"serial":(\d+)/.exec(bytes.toString('latin1', 0, 200));
          if (place === null) return;
          const key = `${file} ${place[1]} ${place[2]}`;
          if ((last.get(key) ?? -1) >= Number(place[3])) faults.push(`${sink}: ${file}: out of order at ${place[0]}`);
          last.set(key, Number(place[3]));
        },
      });
      if (lost + duplicated + foreign > 0) {
        faults.push(`${sink}: ${lost} lost, ${duplicated} duplicated, ${foreign} foreign: ${JSON.stringify(examples)}`);
      }
      for (const { damage } of files) if (damage !== undefined) faults.push(`${sink}: ${damage}`);
    }
    return faults;
  }

  [Symbol.dispose](): void {
    for (const { writer } of this.logs) writer.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  #newFile(log: Log): void {
    log.segment += 1;
    log.isFresh = true;
  }

  /** A file's first line is always an event of its own, as the apiserver's are: that is what tells files apart. */
  #line(log: Log, wanted: LineKind, choice: number): Buffer {
    const kind = log.isFresh ? 'event' : wanted;
    this.#serial += 1;
    this.#clock += STEP_MS;
    const place = { log: path.basename(log.path), segment: log.segment, serial: this.#serial };
    const stageTimestamp = new Date(this.#clock).toISOString();
    const namespace = NAMESPACES[choice % NAMESPACES.length]!;
    switch (kind) {
      case 'event':
        return json({ ...place, objectRef: { namespace }, stageTimestamp });
      case 'clusterWide':
        return json({ ...place, stageTimestamp });
      case 'repeated':
        return json({ objectRef: { namespace }, stageTimestamp: '2026-01-15T09:00:00Z' });
      case 'text':
        return Buffer.from(`not an event: ${this.#serial}`);
      case 'bytes':
        return Buffer.from([0xff, 0xfe, 0x80, 1 + (choice % 9), ...Buffer.from(`${this.#serial}`)]);
      case 'blank':
        return Buffer.from(' '.repeat(choice % 3));
      case 'long':
        return json({ ...place, objectRef: { namespace }, stageTimestamp, pad: 'p'.repeat(MAX_LINE_BYTES) });
      case 'big':
        return json({ ...place, objectRef: { namespace }, stageTimestamp, pad: noise(this.#serial) });
    }
  }

  #expect(log: Log, line: Buffer): void {
    const text = line.toString('latin1');
    if (text.trim() === '') return;
    const hash = hashLine(line);
    this.expected.all.expect(hash);
    if (text.startsWith('{') && line.length <= log.maxLineBytes) this.expected.sent.expect(hash);
    const namespace = /"objectRef":\{"namespace":"(\w+)"\}/.exec(text)?.[1];
    const tag = line.length > log.maxLineBytes ? `${log.tag}._oversize` : `${log.tag}.${namespace}`;
    if (['audit.alpha', 'audit.beta', 'node.alpha'].includes(tag)) this.expected.some.expect(hash);
  }
}

function expectNothing(): Readonly<Record<'all' | 'some' | 'sent', LineMultiset>> {
  return { all: new LineMultiset(), some: new LineMultiset(), sent: new LineMultiset() };
}

/** Soon in its spool, which a few large lines fill, and soon tried again. */
function receiverSink(url: string): Record<string, unknown> {
  return {
    name: 'receiver',
    type: 'http',
    format: 'ndjson',
    url,
    unparsed: 'skip',
    batch: { events: 5, bytes: '512KiB', age: '5ms' },
    timeout: '2s',
    retry: { min: '10ms', max: '40ms' },
    spool: { after: '20ms', max_bytes: '1MiB' },
  };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** 300 KB that hardly compress: enough for a block to be written before the commit. */
function noise(seed: number): string {
  let state = seed;
  const words = Array.from({ length: 40_000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state.toString(36);
  });
  return words.join('');
}
