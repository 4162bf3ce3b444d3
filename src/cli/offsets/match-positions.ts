import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { parseRotatedName } from '../../source/rotated-name.ts';
import type { LogPart, LogSource, LogStream } from './log-streams.ts';
import type { OtherPosition } from './other-positions.ts';

/** Positions of one log. */
export interface MatchedStream {
  readonly source: LogSource;
  readonly stream: LogStream;
  /** Up to where the other agent has read a file. */
  readonly read: ReadonlyMap<LogPart, { readonly offset: number; readonly position: OtherPosition }>;
  /** Positions of this log that no file of it can be found for, with the reason. */
  readonly lost: readonly { readonly position: OtherPosition; readonly reason: string }[];
}

export interface Matched {
  /** Each log that the other agent knows. */
  readonly streams: readonly MatchedStream[];
  /** Positions of no log that a source reads, with the reason. */
  readonly others: readonly { readonly position: OtherPosition; readonly reason: string }[];
}

/**
 * Finds the files that positions are of: by inode, among the files of the log that the position's path names. An inode
 * alone says nothing, because a deleted file's number is given to the next one that is made.
 */
export async function matchPositions(
  positions: readonly OtherPosition[],
  sources: readonly LogSource[],
): Promise<Matched> {
  const streams: MatchedStream[] = [];
  const placed = new Set<OtherPosition>();
  for (const source of sources) {
    for (const stream of source.streams) {
      const names = await namesOf(stream);
      const own: OtherPosition[] = [];
      for (const position of positions) if (await isOf(position.path, names)) own.push(position);
      for (const position of own) placed.add(position);
      if (own.length > 0) streams.push({ source, stream, ...matchStream(lastOfEach(own), stream) });
    }
  }
  const parts = sources.flatMap((source) => source.streams.flatMap((stream) => stream.parts));
  const others = positions
    .filter((position) => !placed.has(position))
    .map((position) => {
      const part = parts.find(({ file }) => file.inode === position.inode);
      const also = part === undefined ? '' : `; its inode ${position.inode} is that of ${part.file.path} now`;
      return { position, reason: `no log of a source has this path${also}` };
    });
  return { streams, others };
}

/** Of several positions for one inode the last counts. Logs on two file systems may have files with one number. */
function lastOfEach(positions: readonly OtherPosition[]): OtherPosition[] {
  return [...new Map(positions.map((one) => [one.inode, one])).values()];
}

function matchStream(positions: readonly OtherPosition[], { parts }: LogStream): Pick<MatchedStream, 'read' | 'lost'> {
  const read = new Map<LogPart, { offset: number; position: OtherPosition }>();
  const lost: { position: OtherPosition; reason: string }[] = [];
  for (const position of positions) {
    const part = parts.find(({ file }) => file.inode === position.inode);
    if (part === undefined) {
      lost.push({ position, reason: `no file of the log has the inode ${position.inode}` });
    } else if (part.file.gzip) {
      lost.push({ position, reason: `${part.file.path} is gzipped, and the position is none in its content` });
    } else if (position.offset > BigInt(part.file.size)) {
      const { path: file, size } = part.file;
      lost.push({ position, reason: `${file} has only ${size} bytes: it was truncated since` });
    } else {
      read.set(part, { offset: Number(position.offset), position });
    }
  }
  return { read, lost };
}

/** Paths under which a log may be known: of the live file, also without symlinks, and of its rotated parts. */
async function namesOf({ path: live, parts }: LogStream): Promise<ReadonlySet<string>> {
  const all = [live, ...parts.map(({ file }) => file.path)];
  return new Set([...all, ...(await Promise.all(all.map(real)))]);
}

/** Fluent Bit names a rotated part, fluentd the live file. */
async function isOf(named: string, names: ReadonlySet<string>): Promise<boolean> {
  const rotated = parseRotatedName(path.basename(named));
  const live = rotated === undefined ? named : path.join(path.dirname(named), rotated.live);
  for (const name of [named, live]) if (names.has(name) || names.has(await real(name))) return true;
  return false;
}

/** Of a file that is gone, its directory is followed. */
async function real(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    const directory = await realpath(path.dirname(file)).catch(() => path.dirname(file));
    return path.join(directory, path.basename(file));
  }
}
