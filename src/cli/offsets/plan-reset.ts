import type { Database } from '../../checkpoint/database.ts';
import type { Config, SourceConfig } from '../../config/types.ts';
import { AuditailError } from '../../errors.ts';
import type { FoundFile } from '../../source/discovery.ts';
import type { SegmentFile } from '../../source/segment-file.ts';
import { eventTimes } from './event-times.ts';
import { lineStartAfter, lineStartBefore } from './line-edges.ts';
import { type LogSource, type LogStream, lookAtSource } from './log-streams.ts';
import { placePart, type Target } from './place-part.ts';
import type { FileChange } from './store-changes.ts';
import { unitStartBefore } from './unit-start.ts';

export type ResetTarget = 'head' | 'tail' | number;

export interface ResetPlan {
  readonly changes: readonly FileChange[];
  /** Paths of files that the state has and that are not there any more. */
  readonly gone: readonly string[];
}

interface ResetRequest {
  readonly db: Database;
  readonly config: Config;
  readonly sources: Config['sources'];
  readonly sinks: readonly string[];
  readonly to: ResetTarget;
  /** Absolute path of a live file. */
  readonly stream: string | undefined;
  /** Absolute path of any file. */
  readonly file: string | undefined;
}

/** Reads the argument of `--to`. @throws Error that says what was expected */
export function parseResetTarget(text: string): ResetTarget {
  if (text === 'head' || text === 'tail') return text;
  const offset = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(offset)) throw new Error('expected head, tail or an offset');
  return offset;
}

/** Finds what a reset comes to. @throws AuditailError `USAGE` when nothing is there that was named */
export async function planReset(request: ResetRequest): Promise<ResetPlan> {
  const { db, config, sources, sinks, to, stream, file } = request;
  const looked: LogSource[] = [];
  for (const source of sources) looked.push(await lookAtSource(db, source, eventTimes(config, source)));
  const started = looked.filter(({ wasStarted }) => wasStarted);
  if (started.length === 0) {
    throw new AuditailError('USAGE', 'no source that was meant was ever started', {
      hint: 'Where a source begins at its first start is said by read_from',
    });
  }
  const streams = started.flatMap((source) => source.streams.map((one) => ({ source, stream: one })));
  const meant = streams.filter((one) => stream === undefined || one.stream.path === stream);
  if (meant.length === 0) throw unknown('log', stream, streams);
  const changes: FileChange[] = [];
  for (const one of meant) {
    for (const part of one.stream.parts) {
      if (file !== undefined && part.file.path !== file) continue;
      const target = typeof to === 'number' ? atOffset(to, part.file, one.source.config) : to;
      const change = await placePart(part, target, {
        ...{ db, config, source: one.source, sinks },
        times: eventTimes(config, one.source.config),
      });
      changes.push({ ...change, source: one.source.config.name, stream: one.stream.path, why: '' });
    }
  }
  if (file !== undefined && changes.length === 0) throw unknown('file', file, meant);
  return { changes, gone: file === undefined ? goneOf(meant) : [] };
}

function atOffset(offset: number, { path, live }: FoundFile, source: SourceConfig): Target {
  return async (open: SegmentFile, size: number) => {
    if (offset > size) {
      throw new AuditailError('USAGE', `${path} has ${size} bytes of content: ${offset} is behind its end`);
    }
    // The last line of a part that does not grow any more may have no newline.
    if (offset === size && !live) return offset;
    const before = await lineStartBefore(open, offset);
    if (before === offset) {
      const unit = await unitStartBefore(open, offset, source);
      if (unit === offset) return offset;
      throw new AuditailError(
        'USAGE',
        `${offset} is between two parts of what the container wrote as one line, in ${path}`,
        {
          hint: `The first of them begins at ${unit}`,
        },
      );
    }
    const after = await lineStartAfter(open, offset);
    const next = after === undefined ? 'and no other behind it' : `the next one at ${after}`;
    throw new AuditailError('USAGE', `${offset} is in the middle of a line of ${path}`, {
      hint: `That line begins at ${before}, ${next}`,
    });
  };
}

function goneOf(streams: readonly { readonly stream: LogStream }[]): string[] {
  // Files long finished and deleted are no news.
  return streams.flatMap(({ stream }) => stream.gone.filter(({ finished }) => !finished).map(({ path }) => path));
}

function unknown(what: 'log' | 'file', named: string | undefined, streams: readonly { readonly stream: LogStream }[]) {
  if (named === undefined) return new AuditailError('USAGE', 'no log of the sources that were meant is there');
  const known = streams.map(({ stream }) => stream.path);
  return new AuditailError('USAGE', `${named} is no ${what} that a source reads`, {
    hint: known.length === 0 ? 'No log is there' : `Logs that are there: ${known.join(', ')}`,
  });
}
