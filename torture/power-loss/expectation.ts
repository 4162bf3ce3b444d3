import { hashLine, LineMultiset } from '../../test/helpers/line-multiset.ts';
import type { LogCut } from './log-cut.ts';
import type { LogLedger } from './log-ledger.ts';
import { type Places, placeKey } from './places.ts';
import { ARCHIVE, RECEIVER } from './scene.ts';

/** A file of the log that lost its end. */
export interface FileCut {
  readonly inode: bigint;
  /** It is the one that is written on. */
  readonly isLive: boolean;
  readonly left: LogCut;
  /** What the state told before the agent started. */
  readonly places: Places;
  /** How long the file was when the agent looked last. */
  readonly seen: number;
}

/** What a sink has to have when the agent has caught up after a crash. */
export interface Expectation {
  /** Each of these, by their hash. */
  readonly needed: ReadonlySet<string>;
  /** These and all that may be there as well: what the log lost, and nobody knows whether it was taken. */
  readonly possible: LineMultiset;
}

/**
 * How many gaps have to be told, and may be: one of what the archive has and the receiver lacks, and one of what was seen and
 * taken by nobody.
 */
export function gapsLeft(cut: FileCut | undefined): { readonly least: number; readonly most: number } {
  if (cut === undefined) return { least: 0, most: 0 };
  const least = certainOf(RECEIVER, cut) < certainOf(ARCHIVE, cut) ? 1 : 0;
  return { least, most: cut.seen > certainOf(ARCHIVE, cut) ? least + 1 : least };
}

/** Up to where a sink has everything of the live file, or can still read it. */
function certainOf(sink: string, { inode, left, places }: FileCut): number {
  return Math.max(left.bytes, places.get(placeKey(sink, inode)) ?? 0);
}

/**
 * Works out what a sink has to have: the lines that are in the log; those that were in it, whose files were removed when
 * the sink had them; and those that the log lost, which the sink had durably taken.
 *
 * @param added what was written after the crash.
 */
export function expectationOf(
  sink: string,
  {
    ledger,
    cut,
    added,
  }: { readonly ledger: LogLedger; readonly cut: FileCut | undefined; readonly added: readonly Buffer[] },
): Expectation {
  const needed = new Set<string>();
  const possible = new LineMultiset();
  const need = (hash: Buffer): void => {
    needed.add(hash.toString('hex'));
    possible.expect(hash);
  };
  const fragment = cut?.left.fragment && hashLine(cut.left.fragment);
  for (const [inode, lines] of ledger.files) {
    const isCut = inode === cut?.inode;
    const certain = isCut ? certainOf(sink, cut) : Number.POSITIVE_INFINITY;
    for (const { hash, end } of lines) {
      if (end <= certain) need(hash);
      // Of which only the newline is gone, that is the fragment.
      else if (fragment?.equals(hash) !== true) possible.expect(hash);
    }
  }
  for (const hash of added) need(hash);
  if (cut !== undefined && fragment !== undefined) {
    // A receiver gets it wrapped, with the reason; only a dead letter has it as it is. In a file that was read to its end
    // before, and is not written on, nobody has to look for it.
    if (sink === ARCHIVE && cut.isLive) need(fragment);
    else possible.expect(fragment);
  }
  return { needed, possible };
}
