import path from 'node:path';
import type { IssuePath } from '../../config/config-error.ts';
import { formatDuration, SECOND_MS } from '../../config/units.ts';
import type { FoundFile, FoundStream } from '../../source/discovery.ts';
import { parseRotatedName, type RotationStyle } from '../../source/rotated-name.ts';
import { logrotateNaming } from './logrotate.ts';
import type { Warning } from './warning.ts';

/** lumberjack writes the time of the rotation into the name, in UTC. */
const LUMBERJACK_TIME = /-(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})(?=\.|$)/;

/** What hurts in how a log is rotated. */
export function rotationWarnings(
  stream: FoundStream,
  at: IssuePath,
  commitIntervalMs: number,
  logrotatePaths?: readonly string[],
): Warning[] {
  const messages = [twoRotators(stream, logrotatePaths), shortWindow(stream, commitIntervalMs)];
  return messages.flatMap((message) => (message === undefined ? [] : [{ path: at, message }]));
}

/** Parts that logrotate renamed (`audit-….log.1`) are no names that the kube-apiserver prunes (kubernetes#64760). */
function twoRotators({ path: live, files }: FoundStream, logrotatePaths?: readonly string[]): string | undefined {
  const rotatedBy = (...styles: RotationStyle[]) =>
    files.find((file) => parseRotatedName(path.basename(file.path))?.styles.some((style) => styles.includes(style)));
  const lumberjack = rotatedBy('lumberjack');
  const logrotate = rotatedBy('numbered', 'dated');
  const configured = [live, ...(lumberjack === undefined ? [] : [lumberjack.path])]
    .map((file) => logrotateNaming(file, logrotatePaths))
    .find((place) => place !== undefined);
  const advice = 'let only one of them rotate, or parts are never pruned, or are deleted unread';
  if (lumberjack !== undefined && logrotate !== undefined) {
    const where = configured === undefined ? '' : ` (${configured})`;
    const witness = path.basename(logrotate.path);
    return `${live} is rotated by the kube-apiserver and by logrotate${where}, as ${witness} shows; ${advice}`;
  }
  if (configured === undefined) return undefined;
  return `logrotate rotates ${live} (${configured}), and the kube-apiserver does unless --audit-log-maxsize is off; ${advice}`;
}

/** How long a part lives, from the parts that are there: their number times the mean time between them. */
function shortWindow({ path: live, files }: FoundStream, commitIntervalMs: number): string | undefined {
  const times = new Map<string, number>();
  for (const file of files) {
    // While a part is being compressed it stands there twice.
    if (!file.live) times.set(file.path.replace(/\.gz$/, ''), rotationTime(file));
  }
  if (times.size < 2) return undefined;
  const span = Math.max(...times.values()) - Math.min(...times.values());
  const window = (times.size * span) / (times.size - 1);
  if (window >= commitIntervalMs) return undefined;
  const shown = formatDuration(Math.max(1, Math.round(window / SECOND_MS)) * SECOND_MS);
  return (
    `the ${times.size} rotated parts of ${live} cover about ${shown}, less than commit.interval ` +
    `(${formatDuration(commitIntervalMs)}): lines may be deleted before they are committed; ` +
    'raise --audit-log-maxbackup or --audit-log-maxsize, or lower commit.interval'
  );
}

function rotationTime(file: FoundFile): number {
  const named = LUMBERJACK_TIME.exec(path.basename(file.path));
  if (named === null) return file.modifiedMs;
  return Date.parse(`${named[1]}T${named[2]}:${named[3]}:${named[4]}Z`);
}
