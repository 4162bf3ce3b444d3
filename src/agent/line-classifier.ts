import { OPEN_BRACE, spaceEnd } from '../event/json-bytes.ts';
import type { EventScanner } from '../event/scanner.ts';
import { findTornEvent } from '../event/torn.ts';

/**
 * `event`: the scanner holds its fields. `torn`: a fragment with a whole event behind it, whose fields the scanner holds.
 * `unparsable`: neither. `blank`: nothing but white space.
 */
export type LineKind = 'event' | 'blank' | 'torn' | 'unparsable';

/** Tells what a line is. The results are those of the last line. */
export class LineClassifier {
  /** Of a torn line: where in the buffer its event begins. */
  eventStart = 0;
  /** Of a torn or unparsable line: the byte, counted from 1, at which it stopped being an event, and why. */
  errorColumn = 0;
  errorReason = '';
  readonly #scanner: EventScanner;

  constructor(scanner: EventScanner) {
    this.#scanner = scanner;
  }

  classify(buffer: Buffer, start: number, end: number): LineKind {
    const scanner = this.#scanner;
    if (scanner.scan(buffer, start, end)) return 'event';
    if (isBlank(buffer, start, end)) return 'blank';
    // The search for an event overwrites them.
    this.errorColumn = scanner.errorOffset - start + 1;
    this.errorReason = scanner.errorReason;
    this.eventStart = findTornEvent(buffer, start, end, scanner);
    return this.eventStart < 0 ? 'unparsable' : 'torn';
  }
}

/** Whether it begins as an event does. What does not, in a container's log, is other text that the container writes. */
export function beginsAsObject(buffer: Buffer, start: number, end: number): boolean {
  const first = spaceEnd(buffer, start, end);
  return first < end && buffer[first] === OPEN_BRACE;
}

/** Nothing but white space. */
export function isBlank(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = buffer[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}
