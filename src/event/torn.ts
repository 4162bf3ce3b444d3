import { CLOSE_BRACE, SPACE } from './json-bytes.ts';
import type { EventScanner } from './scanner.ts';

/** What every event of the apiserver's log backend begins with; the version follows. */
const EVENT_BEGINNING = Buffer.from('{"kind":"Event","apiVersion":"audit.k8s.io/');

/**
 * Candidates that may turn out to be read to the end of the line and still be open there. A true torn line has at most
 * one for each crash that went into it (the fragment broke off where a value was expected).
 */
const MAX_OPEN_CANDIDATES = 16;

/**
 * Where the whole event begins that ends an invalid line [start, end), or -1 when there is none.
 *
 * A crash of the apiserver leaves half an event without a newline, and the next event is written right behind it. The
 * whole one is the leftmost beginning of an event behind `start` from which the rest of the line is valid. (There can
 * be only one: a second would begin inside the first, as a value of it, and would be closed before the line ends.)
 *
 * After a hit `scanner` holds the fields of the recovered event. After -1 it holds no fields, and its error may be that
 * of a candidate: read the error of the line itself before.
 *
 * The time is that of a constant number of passes over the line, whatever is in it. A candidate that fails before the
 * end rules out all beginnings that it has read over: they are values inside it, so that they fail at the same byte, or
 * are closed with text behind them. One that is still open at the end rules out none; of these `MAX_OPEN_CANDIDATES`
 * are tried.
 */
export function findTornEvent(buf: Buffer, start: number, end: number, scanner: EventScanner): number {
  const line = buf.subarray(start, end);
  let last = line.length - 1;
  while (last >= 0 && line[last]! <= SPACE) last -= 1;
  if (line[last] !== CLOSE_BRACE) return -1;

  let open = 0;
  let from = 1;
  while (open < MAX_OPEN_CANDIDATES) {
    const found = line.indexOf(EVENT_BEGINNING, from);
    if (found === -1) return -1;
    const candidate = start + found;
    if (scanner.scan(buf, candidate, end)) return candidate;
    if (scanner.errorOffset === end) {
      open += 1;
      from = found + 1;
    } else {
      // A beginning inside a string is not read over: its first quote ends the string, the fault is at the next byte.
      from = Math.max(found + 1, scanner.errorOffset - start - 2);
    }
  }
  return -1;
}
