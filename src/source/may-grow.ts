import type { FoundFile } from './discovery.ts';
import type { Known } from './known-segments.ts';

/**
 * Whether a rotated part may have become longer since it was looked at: its writer learns of the rotation later, and writes on
 * until then. Counted from when the file was renamed or written, whatever came last.
 *
 * @param now milliseconds since the epoch
 */
export function mayGrow(file: FoundFile, known: Known | undefined, rotation: { now: number; waitMs: number }): boolean {
  const before = known?.row.mayGrow === true;
  if (file.gzip || file.live || known?.row.finished === true) return before;
  if (rotation.now - Number(file.changedNs / 1_000_000n) < rotation.waitMs) return true;
  // What one that is not open has by now is not known.
  return before && known?.segment?.file === undefined;
}
