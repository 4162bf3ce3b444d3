import type { FoundFile } from './discovery.ts';
import type { Known } from './known-segments.ts';

/**
 * Whether a rotated part may have more than was seen of it: its writer learns of the rotation later, and writes on until then.
 * Counted from when the file was renamed or written, whatever came last.
 *
 * @param now milliseconds since the epoch
 */
export function mayGrow(file: FoundFile, known: Known | undefined, rotation: { now: number; waitMs: number }): boolean {
  // What a gzip has is not known without inflating it.
  if (file.gzip || file.live || known?.row.finished === true) return known?.row.mayGrow === true;
  if (rotation.now - Number(file.changedNs / 1_000_000n) < rotation.waitMs) return true;
  if (known === undefined) return false;
  return Math.max(known.row.sizeSeen, known.segment?.sizeSeen ?? 0) < file.size;
}
