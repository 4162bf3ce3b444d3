import type { Database } from '../../checkpoint/database.ts';
import { GapRecords } from '../../checkpoint/gap-records.ts';
import { SegmentRecords, type SegmentRow } from '../../checkpoint/segment-records.ts';
import type { SourceConfig } from '../../config/types.ts';
import { discover } from '../../source/discovery.ts';
import { type FileLook, lookAt, matchFile } from './file-look.ts';

export interface SinkOffset {
  readonly sink: string;
  /** False: the state has it, the configuration does not. */
  readonly configured: boolean;
  /** Bytes of uncompressed content that the sink has durably taken. */
  readonly offset: number;
  /** Bytes behind the offset, as far as the content is known. */
  readonly lag: number;
}

/**
 * `reading`: unfinished, or a sink lacks its end. `finished`: every sink has it. `gone`: unfinished, or a sink lacks its
 * end, and its file is not where the source looks; a running agent may hold it open.
 * `new`: a file that the agent has not seen yet.
 */
export type SegmentState = 'reading' | 'finished' | 'gone' | 'new';

export interface SegmentOffsets {
  /** Where its file is now, or was last. */
  readonly path: string;
  readonly state: SegmentState;
  /** Bytes of uncompressed content now; undefined when the file is not there or cannot be read. */
  readonly size: number | undefined;
  /** Times of its first and last event, milliseconds since the epoch. */
  readonly firstTime: number | undefined;
  readonly lastTime: number | undefined;
  readonly sinks: readonly SinkOffset[];
}

export interface StreamOffsets {
  /** Path of the live file. */
  readonly path: string;
  readonly segments: readonly SegmentOffsets[];
  /** Older finished segments that are left out. */
  readonly omitted: number;
}

export interface SourceOffsets {
  readonly name: string;
  readonly streams: readonly StreamOffsets[];
  readonly gaps: ReturnType<GapRecords['list']>;
}

export interface OffsetsOptions {
  /** Names of the configured sinks. */
  readonly sinks: readonly string[];
  /** Finished segments of each stream to list, the newest ones. */
  readonly finished: number;
}

interface StreamOptions extends OffsetsOptions {
  readonly readFrom: SourceConfig['readFrom'];
}

/** Joins what the state database knows of a source with the files that are there now. */
export async function sourceOffsets(
  db: Database,
  source: SourceConfig,
  options: OffsetsOptions,
): Promise<SourceOffsets> {
  const records = new SegmentRecords(db);
  const { streams: found } = await discover(source);
  const known = records.streams(source.name);
  const paths = new Set([...known, ...found].map(({ path }) => path));
  const streams: StreamOffsets[] = [];
  for (const path of paths) {
    const files = await Promise.all((found.find((stream) => stream.path === path)?.files ?? []).map(lookAt));
    const id = known.find((stream) => stream.path === path)?.id;
    const rows = id === undefined ? [] : records.segments(id).sort(byFirstEvent);
    streams.push({ path, ...(await streamOffsets(records, rows, files, { ...options, readFrom: source.readFrom })) });
  }
  return { name: source.name, streams, gaps: new GapRecords(db).list(source.name) };
}

async function streamOffsets(
  records: SegmentRecords,
  rows: readonly SegmentRow[],
  files: readonly FileLook[],
  options: StreamOptions,
): Promise<Omit<StreamOffsets, 'path'>> {
  const unseen = new Set(files);
  const segments: SegmentOffsets[] = [];
  for (const row of rows) {
    const file = matchFile(row, files);
    if (file !== undefined) unseen.delete(file);
    segments.push(await knownSegment(row, file, records.offsets(row.id), options));
  }
  const finished = segments.filter(({ state }) => state === 'finished');
  const omitted = new Set(finished.slice(0, Math.max(0, finished.length - options.finished)));
  for (const file of unseen) segments.push(await newSegment(file, options.sinks));
  return { segments: segments.filter((segment) => !omitted.has(segment)), omitted: omitted.size };
}

async function knownSegment(
  row: SegmentRow,
  file: FileLook | undefined,
  offsets: ReadonlyMap<string, number>,
  { sinks: configured, readFrom }: StreamOptions,
): Promise<SegmentOffsets> {
  // To learn how long the content of a gzip part is, it has to be inflated: not for what is known to its end.
  const size = row.finished && file?.gzip === true ? row.sizeSeen : await file?.contentBytes();
  // A sink that was added later gets what files there are, where read_from says so.
  const names = new Set([...(row.finished && file === undefined ? [] : configured), ...offsets.keys()]);
  const begin = readFrom === 'tail' ? row.sizeSeen : 0;
  const end = Math.max(row.finished ? 0 : row.sizeSeen, size ?? row.sizeSeen);
  const sinks = [...names].map((sink) => {
    const offset = offsets.get(sink) ?? begin;
    return { sink, configured: configured.includes(sink), offset, lag: Math.max(0, end - offset) };
  });
  const isFinished = row.finished && sinks.every((one) => !one.configured || one.lag === 0);
  return {
    path: file?.path ?? row.path,
    state: isFinished ? 'finished' : file === undefined ? 'gone' : 'reading',
    size,
    firstTime: row.firstTime,
    lastTime: row.lastTime,
    sinks,
  };
}

async function newSegment(file: FileLook, sinks: readonly string[]): Promise<SegmentOffsets> {
  const size = await file.contentBytes();
  return {
    path: file.path,
    state: 'new',
    size,
    firstTime: undefined,
    lastTime: undefined,
    sinks: sinks.map((sink) => ({ sink, configured: true, offset: 0, lag: size ?? 0 })),
  };
}

/** The order of the stream; the ids are the order in which the agent saw the files. */
function byFirstEvent(one: SegmentRow, other: SegmentRow): number {
  const time = (row: SegmentRow) => row.firstTime ?? Number.MAX_SAFE_INTEGER;
  return time(one) - time(other) || one.id - other.id;
}
