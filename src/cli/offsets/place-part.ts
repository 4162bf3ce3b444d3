import type { Database } from '../../checkpoint/database.ts';
import type { SegmentPlace } from '../../checkpoint/place-records.ts';
import { type Anchor, SegmentRecords } from '../../checkpoint/segment-records.ts';
import type { Config } from '../../config/types.ts';
import type { EventTimes } from '../../source/line-handler.ts';
import { openSegmentFile } from '../../source/open-segment-file.ts';
import { lastNewline } from '../../source/segment-edges.ts';
import type { SegmentFile } from '../../source/segment-file.ts';
import { readEvidence } from './evidence.ts';
import type { LogPart, LogSource } from './log-streams.ts';
import { unitStartBefore } from './unit-start.ts';

/** Where a place is wanted in a file; a function finds it in the open file, whose content has `size` bytes. */
export type Target = 'head' | 'tail' | ((file: SegmentFile, size: number) => Promise<number>);

export interface SinkChange {
  readonly sink: string;
  readonly type: 'file' | 'http';
  /** Where it would have gone on. */
  readonly before: number;
  readonly after: number;
}

/** What becomes of one file. Offsets and sizes are bytes of uncompressed content. */
export interface PartChange {
  readonly path: string;
  /** The state did not know it. */
  readonly isNew: boolean;
  /** Undefined where it was not worth inflating a gzip part. */
  readonly size: number | undefined;
  readonly sinks: readonly SinkChange[];
  /** What is stored; undefined: the file is too short to be known by yet, and begins at its head. */
  readonly place: SegmentPlace | undefined;
}

export interface Placing {
  readonly db: Database;
  readonly config: Config;
  readonly source: LogSource;
  /** Names of the sinks whose place is set. */
  readonly sinks: readonly string[];
  readonly times: EventTimes;
}

/** Finds what is to be stored so that the chosen sinks stand at `target` in a file, as if the agent had read it so far. */
export async function placePart(part: LogPart, target: Target, placing: Placing): Promise<PartChange> {
  const open = await openSegmentFile(part.file);
  try {
    const size = target === 'head' && part.file.gzip ? undefined : (await open.stat()).size;
    const end = part.file.live
      ? await unitStartBefore(open, await lastNewline(open), placing.source.config)
      : (size ?? Number.POSITIVE_INFINITY);
    const wanted = target === 'head' ? 0 : target === 'tail' ? end : await target(open, size!);
    return await new PartPlacing(part, placing, { open, size, end }).at(wanted);
  } finally {
    await open.close();
  }
}

interface Content {
  readonly open: SegmentFile;
  readonly size: number | undefined;
  /** Where what is whole ends; of a rotated part where it ends. */
  readonly end: number;
}

class PartPlacing {
  readonly #part: LogPart;
  readonly #placing: Placing;
  readonly #content: Content;
  readonly #stored: ReadonlyMap<string, number>;
  readonly #anchors: readonly Anchor[];

  constructor(part: LogPart, placing: Placing, content: Content) {
    this.#part = part;
    this.#placing = placing;
    this.#content = content;
    const records = new SegmentRecords(placing.db);
    this.#stored = part.row === undefined ? new Map() : records.offsets(part.row.id);
    this.#anchors = part.row === undefined ? [] : records.anchors(part.row.id);
  }

  async at(wanted: number): Promise<PartChange> {
    const { file, head, row } = this.#part;
    const { size } = this.#content;
    const chosen = this.#placing.config.sinks.filter(({ name }) => this.#placing.sinks.includes(name));
    const sinks = chosen.map(({ name, type }) => ({
      sink: name,
      type,
      before: this.#placeOf(name),
      after: wanted,
    }));
    const change = { path: file.path, isNew: row === undefined, size, sinks };
    return { ...change, place: head === undefined ? undefined : await this.#place(head, wanted) };
  }

  async #place(head: string, wanted: number): Promise<SegmentPlace> {
    const { file, row, firstTime } = this.#part;
    const { open, size, end } = this.#content;
    const { config, sinks, times } = this.#placing;
    const all = new Map(config.sinks.map(({ name }) => [name, sinks.includes(name) ? wanted : this.#placeOf(name)]));
    const from = this.#leading((name) => this.#placeOf(name));
    const to = this.#leading((name) => all.get(name)!);
    const isMoved = row === undefined || from !== to;
    const evidence = isMoved
      ? await readEvidence(open, to, { anchors: this.#anchors, times, isFresh: file.live && !file.gzip })
      : undefined;
    const isForward = row === undefined || to > from;
    return {
      id: row?.id,
      row: {
        device: file.device,
        inode: file.inode,
        head,
        path: file.path,
        sizeSeen: Math.max(size ?? 0, row?.sizeSeen ?? 0),
        mayGrow: row?.mayGrow ?? false,
        firstTime,
        lastTime: (isForward ? evidence?.lastTime : undefined) ?? row?.lastTime,
        headOf: row?.headOf,
        headBytes: row?.headBytes ?? 0,
        finished: !file.live && [...all.values()].every((offset) => offset >= end),
      },
      offsets: new Map([...all].filter(([name]) => sinks.includes(name) || this.#needsPlace(name))),
      reader: evidence === undefined ? undefined : { offset: to, anchor: evidence.anchor },
    };
  }

  /** A sink whose place is not set would begin elsewhere by what is stored of the file now, if its place were not said. */
  #needsPlace(sink: string): boolean {
    const { source } = this.#placing;
    return this.#part.row === undefined || (source.config.readFrom === 'tail' && !this.#stored.has(sink));
  }

  /** As the agent sees it: a sink that was added later starts as `read_from` says. */
  #placeOf(sink: string): number {
    const { row } = this.#part;
    const { config, wasStarted } = this.#placing.source;
    const isTail = config.readFrom === 'tail';
    if (row !== undefined) return this.#stored.get(sink) ?? (isTail ? row.sizeSeen : 0);
    return isTail && !wasStarted ? this.#content.end : 0;
  }

  /** File sinks stand together where the shared reader is; the others are no part of that, unless there are none. */
  #leading(placeOf: (sink: string) => number): number {
    const { sinks } = this.#placing.config;
    const together = sinks.filter(({ type }) => type === 'file');
    return Math.min(...(together.length > 0 ? together : sinks).map(({ name }) => placeOf(name)));
  }
}
