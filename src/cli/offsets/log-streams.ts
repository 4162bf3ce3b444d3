import type { Database } from '../../checkpoint/database.ts';
import { SegmentRecords, type SegmentRow } from '../../checkpoint/segment-records.ts';
import type { SourceConfig } from '../../config/types.ts';
import { AuditailError, errorCode } from '../../errors.ts';
import { discover, type FoundFile } from '../../source/discovery.ts';
import { Identifier } from '../../source/identify.ts';
import { KnownSegments } from '../../source/known-segments.ts';
import type { EventTimes } from '../../source/line-handler.ts';
import { openSegmentFile } from '../../source/open-segment-file.ts';
import { firstEventTime } from '../../source/segment-edges.ts';

/** A file of a log, as the agent will tell it at its next start. Copies of others are none. */
export interface LogPart {
  readonly file: FoundFile;
  /** What the state has of it. */
  readonly row: SegmentRow | undefined;
  /** Undefined: it is too short to be known by yet, and will be read from its head. */
  readonly head: string | undefined;
  /** Of its first event; that of the file where it has none. */
  readonly firstTime: number;
}

export interface LogStream {
  /** Of the live file. */
  readonly path: string;
  /** Oldest first; the live file is the last. */
  readonly parts: readonly LogPart[];
  /** What the state has and no file is found for. */
  readonly gone: readonly SegmentRow[];
}

export interface LogSource {
  readonly config: SourceConfig;
  /** Whether the agent ever looked at it: `read_from` applies only before that. */
  readonly wasStarted: boolean;
  readonly streams: readonly LogStream[];
}

/**
 * Looks at the files of a source and tells what each is, by the agent's own rules.
 *
 * @throws AuditailError `LOG_UNREADABLE`: a file that cannot be looked at cannot be told from others
 */
export async function lookAtSource(db: Database, config: SourceConfig, times: EventTimes): Promise<LogSource> {
  const records = new SegmentRecords(db);
  const known = new KnownSegments(records, config.name);
  const { streams: found } = await discover(config);
  const identifier = new Identifier(known, {
    // Nobody waits here for a file to come to rest: what it is now is what is decided on.
    lastChange: () => 0,
    isStillSince: () => true,
    anchors: ({ id }) => records.anchors(id),
    isIntact: async () => true,
    trouble: (file, error) => {
      // A part of which nothing inflates has nothing that a place could be in.
      if (errorCode(error) === 'GZIP_DAMAGED') return;
      throw unreadable(file.path, error);
    },
  });
  const identified = await identifier.identify(found);
  const taken = new Set<number>();
  const parts = new Map<string, LogPart[]>(found.map(({ path }) => [path, []]));
  for (const { file, stream, identity } of identified) {
    if (identity.kind === 'copy' || identity.kind === 'empty') continue;
    const row = identity.kind === 'known' ? identity.known.row : undefined;
    if (row !== undefined) taken.add(row.id);
    const head = identity.kind === 'known' ? identity.known.head : identity.head;
    const firstTime = row?.firstTime ?? (await timeOf(file, times));
    parts.get(stream)?.push({ file, row, head, firstTime });
  }
  const paths = new Set([...parts.keys(), ...known.streams.keys()]);
  return {
    config,
    wasStarted: records.wasStarted(config.name),
    streams: [...paths].map((path) => {
      const id = known.streams.get(path)?.id;
      const rows = id === undefined ? [] : records.segments(id);
      return {
        path,
        parts: (parts.get(path) ?? []).sort(oldestFirst),
        gone: rows.filter((row) => !taken.has(row.id)),
      };
    }),
  };
}

async function timeOf(file: FoundFile, times: EventTimes): Promise<number> {
  try {
    const open = await openSegmentFile(file);
    try {
      return (await firstEventTime(open, times)) ?? Math.trunc(file.modifiedMs);
    } finally {
      await open.close();
    }
  } catch (error) {
    throw unreadable(file.path, error);
  }
}

function oldestFirst(one: LogPart, other: LogPart): number {
  return (
    Number(one.file.live) - Number(other.file.live) ||
    one.firstTime - other.firstTime ||
    one.file.modifiedMs - other.file.modifiedMs
  );
}

function unreadable(file: string, cause: unknown): AuditailError {
  return new AuditailError('LOG_UNREADABLE', `cannot read ${file}`, {
    cause,
    hint: 'Nothing was changed. Run it as a user who can read the logs, such as root; again, if the log was just rotated',
  });
}
