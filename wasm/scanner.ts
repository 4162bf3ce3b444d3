/**
 * The loop of the event scanner. The host reads or copies a line into the module's memory and asks for its verdict: see
 * `src/event/scanner.ts`, which tells what the results mean.
 */
import {
  byteAt,
  CLOSE_BRACE,
  COLON,
  COMMA,
  LOWER_N,
  OPEN_BRACE,
  OPEN_BRACKET,
  plainEnd,
  QUOTE,
  SPACE,
  scalarEnd,
  spaceEnd,
  stringEnd,
} from './json-bytes';
import { capture, childOf, elementOf, escapedChildOf, hasChildren, layOutResults, resultsShiftBy } from './path-node';

/** Of lines that stand in this module's memory anyway. */
export { digest } from './xxh64';

/** Kinds of values, as `src/event/scanner.ts` has them. */
const STRING: u32 = 1;
const SCALAR: u32 = 2;
const NULL: u32 = 3;
const CONTAINER: u32 = 4;

/** What is wrong, as `src/event/scan-faults.ts` has it. */
const NO_OBJECT: u32 = 0;
const NO_KEY: u32 = 1;
const BAD_STRING: u32 = 2;
const NO_COLON: u32 = 3;
const BAD_SCALAR: u32 = 4;
const NO_COMMA_IN_OBJECT: u32 = 5;
const NO_COMMA_IN_ARRAY: u32 = 6;
const TEXT_BEHIND: u32 = 7;

let root: usize = 0;
/** By depth, for open containers on a wanted path: their node and, in an array, the index of the element. */
let nodes: usize = 0;
let indexes: usize = 0;
/** The closing bytes of the open containers, without the innermost: as many as a line has bytes at most. */
let closers: usize = 0;

/** After a scan that gave false: where the line stopped being an event, and what was wrong there. */
export let errorAt: usize = 0;
export let fault: u32 = 0;
/** Of a bad scalar: where it begins. */
export let faultStart: usize = 0;

/** Takes the addresses of what the host laid out. */
export function layOut(
  rootAt: usize,
  nodesAt: usize,
  indexesAt: usize,
  closersAt: usize,
  kindsAt: usize,
  startsAt: usize,
  endsAt: usize,
): void {
  root = rootAt;
  nodes = nodesAt;
  indexes = indexesAt;
  closers = closersAt;
  layOutResults(kindsAt, startsAt, endsAt);
}

/**
 * Whether the bytes [start, end) are one JSON object, in one pass over them. `shift` is added to the places of results. It is one function over the whole grammar,
 * because its speed is in what stays in registers. White space is rare: it is looked for only where the byte that the
 * apiserver would have written is not there.
 */
export function scan(start: usize, end: usize, shift: isize): bool {
  resultsShiftBy(shift);
  // Containers around the innermost one; and the deepest of all whose path is wanted, -1 for none.
  let depth: i32 = 0;
  let tracked: i32 = -1;
  // Of the innermost container: its closing byte, its node when its path is wanted, and the number of the element.
  let closer = CLOSE_BRACE;
  let node: usize = 0;
  let index: u32 = 0;
  // The node of the value that comes next.
  let wanted: usize = 0;

  let at = spaceEnd(start, end);
  if (at === end || byteAt(at) !== OPEN_BRACE) return fail(at, NO_OBJECT);
  at = spaceEnd(at + 1, end);
  if (at < end && byteAt(at) === CLOSE_BRACE) return finish(at + 1, end);
  if (hasChildren(root)) {
    tracked = 0;
    node = root;
  }

  while (true) {
    // What names the value: a key and a colon, or the number of the element.
    if (closer === CLOSE_BRACE) {
      if (at >= end || byteAt(at) !== QUOTE) {
        at = spaceEnd(at, end);
        if (at >= end || byteAt(at) !== QUOTE) return fail(at, NO_KEY);
      }
      const from = at + 1;
      at = plainEnd(from, end);
      if (at < end && byteAt(at) === QUOTE) {
        if (node !== 0) wanted = childOf(node, from, at);
      } else {
        const quote = stringEnd(at, end);
        if (quote < 0) return fail(~quote, BAD_STRING);
        at = quote;
        if (node !== 0) wanted = escapedChildOf(node, from, at);
      }
      at += 1;
      if (at >= end || byteAt(at) !== COLON) {
        at = spaceEnd(at, end);
        if (at >= end || byteAt(at) !== COLON) return fail(at, NO_COLON);
      }
      at += 1;
    } else if (node !== 0) {
      wanted = elementOf(node, index);
    }

    let first: u32 = at < end ? byteAt(at) : 0;
    if (first <= SPACE) {
      at = spaceEnd(at, end);
      first = at < end ? byteAt(at) : 0;
    }
    if (first === QUOTE) {
      const from = at + 1;
      at = plainEnd(from, end);
      if (at >= end || byteAt(at) !== QUOTE) {
        const quote = stringEnd(at, end);
        if (quote < 0) return fail(~quote, BAD_STRING);
        at = quote;
      }
      if (wanted !== 0) capture(wanted, STRING, from, at);
      at += 1;
    } else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      store<u8>(closers + depth, closer);
      depth += 1;
      // Two behind the opening one, of both kinds.
      closer = first + 2;
      node = 0;
      if (wanted !== 0) {
        capture(wanted, CONTAINER, at, at);
        if (hasChildren(wanted)) {
          store<u32>(word(indexes, tracked), index);
          store<usize>(word(nodes, depth), wanted);
          tracked = depth;
          node = wanted;
          index = 0;
        }
        wanted = 0;
      }
      at += 1;
      if (at < end && byteAt(at) <= SPACE) at = spaceEnd(at, end);
      if (at >= end || byteAt(at) !== closer) continue;
    } else {
      const from = at;
      const scalar = scalarEnd(at, end);
      if (scalar < 0) {
        faultStart = from;
        return fail(~scalar, BAD_SCALAR);
      }
      at = scalar;
      if (wanted !== 0) capture(wanted, first === LOWER_N ? NULL : SCALAR, from, at);
    }

    // What ends the value: the brackets that close here, and a comma.
    while (true) {
      let byte: u32 = at < end ? byteAt(at) : 0;
      if (byte === COMMA) break;
      if (byte <= SPACE) {
        at = spaceEnd(at, end);
        byte = at < end ? byteAt(at) : 0;
        if (byte === COMMA) break;
      }
      if (byte !== closer) return fail(at, closer === CLOSE_BRACE ? NO_COMMA_IN_OBJECT : NO_COMMA_IN_ARRAY);
      at += 1;
      if (depth === 0) return finish(at, end);
      depth -= 1;
      closer = load<u8>(closers + depth);
      if (depth <= tracked) {
        if (depth < tracked) {
          tracked = depth;
          index = load<u32>(word(indexes, depth));
        }
        node = load<usize>(word(nodes, depth));
      }
    }
    at += 1;
    if (node !== 0) index += 1;
  }
}

/** The address of a word in a list. */
function word(list: usize, index: i32): usize {
  return list + ((index as usize) << 2);
}

function finish(at: usize, end: usize): bool {
  at = spaceEnd(at, end);
  return at === end || fail(at, TEXT_BEHIND);
}

function fail(at: usize, what: u32): bool {
  errorAt = at;
  fault = what;
  return false;
}
