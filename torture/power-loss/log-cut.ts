import { existsSync, readFileSync, truncateSync } from 'node:fs';
import type { Random } from '../../bench/random.ts';

/** By so many bytes, or its first line, a log is known again. */
const HEAD_BYTES = 1024;

/** What is left of a log that its writer did not sync. */
export interface LogCut {
  /** Whole lines that end up to here are left. */
  readonly bytes: number;
  /** What stands before the next line that is written, as one line: a part of a line and NULs. */
  readonly fragment: Buffer | undefined;
}

/**
 * Takes the end of a log away, as a power loss does: at the end of a line or within one, and in part of the cases with NULs
 * up to the old length. Undefined, and nothing is done, where too little of it would be left to know it by.
 *
 * @param least so many bytes stay: a log that lost more than its last 64 commits is read again from the start.
 */
export function cutLog(path: string, least: number, random: Random): LogCut | undefined {
  const content = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const first = Math.max(HEAD_BYTES, least);
  if (content.length <= first) return undefined;
  // Most losses are of the last seconds.
  const most = Math.min(content.length - first, random.pick([2_000, 20_000, Number.POSITIVE_INFINITY]));
  let left = content.length - 1 - random.below(most);
  const lineEnd = content.lastIndexOf(0x0a, left - 1) + 1;
  if (random.chance(0.5) && lineEnd > first) left = lineEnd;
  truncateSync(path, left);
  const nulls = random.chance(0.3) ? content.length - left : 0;
  truncateSync(path, left + nulls);
  const torn = content.subarray(lineEnd, left);
  return { bytes: lineEnd, fragment: torn.length === 0 ? undefined : Buffer.concat([torn, Buffer.alloc(nulls)]) };
}
