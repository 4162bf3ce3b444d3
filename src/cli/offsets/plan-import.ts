import type { Database } from '../../checkpoint/database.ts';
import { SegmentRecords } from '../../checkpoint/segment-records.ts';
import type { Config, SourceConfig } from '../../config/types.ts';
import { eventTimes } from './event-times.ts';
import { lineStartBefore } from './line-edges.ts';
import { type LogSource, lookAtSource } from './log-streams.ts';
import { type Matched, type MatchedStream, matchPositions } from './match-positions.ts';
import type { OtherAgent, OtherPosition } from './other-positions.ts';
import { type Placing, placePart, type Target } from './place-part.ts';
import type { FileChange } from './store-changes.ts';
import { unitStartBefore } from './unit-start.ts';

/** A file whose position stood in the middle of a line. */
export interface BackedUp {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

export interface ImportPlan extends Matched {
  readonly changes: readonly FileChange[];
  readonly backedUp: readonly BackedUp[];
  /** Logs of which no position could be placed: each begins at the head of what there is. */
  readonly unplaced: readonly MatchedStream[];
  /** Sinks that have a place already in a log that is taken over, by the path of its live file. */
  readonly existing: readonly { readonly stream: string; readonly sink: string }[];
}

interface ImportRequest {
  readonly db: Database;
  readonly config: Config;
  readonly sources: Config['sources'];
  readonly sinks: readonly string[];
  readonly agent: OtherAgent;
  readonly positions: readonly OtherPosition[];
}

/** Why a part is placed at its end, of which there may be a thousand. */
export const OLDER = 'older: counts as read';

/** Finds what taking over the positions comes to. Sources none of whose logs the other agent knows are left alone. */
export async function planImport(request: ImportRequest): Promise<ImportPlan> {
  const { db, config, sources, positions } = request;
  const looked: LogSource[] = [];
  for (const source of sources) looked.push(await lookAtSource(db, source, eventTimes(config, source)));
  const matched = await matchPositions(positions, looked);
  const changes: FileChange[] = [];
  const backedUp: BackedUp[] = [];
  for (const source of looked) {
    const own = matched.streams.filter((one) => one.source === source);
    if (own.length === 0) continue;
    const placing = { db, config, source, sinks: request.sinks, times: eventTimes(config, source.config) };
    for (const one of own) changes.push(...(await placeStream(one, placing, request.agent, backedUp)));
    changes.push(...(await placeOthers(own, placing)));
  }
  const unplaced = matched.streams.filter(({ read }) => read.size === 0);
  return { ...matched, changes, backedUp, unplaced, existing: existingPlaces(request, matched.streams) };
}

/** Older parts count as read, newer ones begin at their head: as the other agent would have gone on. */
async function placeStream(
  { source, stream, read }: MatchedStream,
  placing: Placing,
  agent: OtherAgent,
  backedUp: BackedUp[],
): Promise<FileChange[]> {
  const newest = stream.parts.findLastIndex((part) => read.has(part));
  const changes: FileChange[] = [];
  for (const [index, part] of stream.parts.entries()) {
    const own = read.get(part);
    const { target, why } =
      own === undefined
        ? withoutPosition(index, newest)
        : { target: readTo(own.offset, source.config), why: `as ${agent} read it` };
    const change = await placePart(part, target, placing);
    changes.push({ ...change, source: source.config.name, stream: stream.path, why });
    const after = change.sinks[0]!.after;
    if (own !== undefined && after < own.offset) backedUp.push({ path: part.file.path, from: own.offset, to: after });
  }
  return changes;
}

function withoutPosition(index: number, newest: number): { target: Target; why: string } {
  if (newest < 0) return { target: 'head', why: 'no position: from its head' };
  return index < newest ? { target: 'tail', why: OLDER } : { target: 'head', why: 'newer: from its head' };
}

/** Versions of Fluent Bit count the beginning of a last line without newline, and parts of a line were not sent yet. */
function readTo(offset: number, source: SourceConfig): Target {
  return async (open) => unitStartBefore(open, await lineStartBefore(open, offset), source);
}

/** The other logs of the source begin as they would have at its first start, which this takes the place of. */
async function placeOthers(own: readonly MatchedStream[], placing: Placing): Promise<FileChange[]> {
  const { source } = placing;
  if (source.wasStarted || source.config.readFrom === 'head') return [];
  const changes: FileChange[] = [];
  for (const stream of source.streams) {
    if (own.some((one) => one.stream === stream)) continue;
    for (const part of stream.parts) {
      const change = await placePart(part, 'tail', placing);
      changes.push({ ...change, source: source.config.name, stream: stream.path, why: 'read_from: tail' });
    }
  }
  return changes;
}

function existingPlaces({ db, sinks }: ImportRequest, streams: readonly MatchedStream[]): ImportPlan['existing'] {
  const records = new SegmentRecords(db);
  return streams.flatMap(({ stream }) => {
    const rows = [...stream.parts.flatMap(({ row }) => row ?? []), ...stream.gone];
    const known = new Set(rows.flatMap(({ id }) => [...records.offsets(id).keys()]));
    return sinks.filter((sink) => known.has(sink)).map((sink) => ({ stream: stream.path, sink }));
  });
}
