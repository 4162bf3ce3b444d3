import { decodedChild } from './host';

/**
 * The tree of wanted paths, as `src/event/path-tables.ts` lays it out: each node is a row of 32-bit words, whose lists are
 * addresses and counts. The address 0 is no node.
 */
const SLOTS: usize = 0;
const SLOT_COUNT: usize = 4;
const SLOTS_BELOW: usize = 8;
const SLOT_BELOW_COUNT: usize = 12;
const KEYED: usize = 16;
const KEYED_COUNT: usize = 20;
const INDEXED: usize = 24;
const INDEXED_COUNT: usize = 28;
const MAX_KEY_BYTES: usize = 32;
const DECODE_KEYS: usize = 36;
const KEY: usize = 40;
const KEY_BYTES: usize = 44;
const INDEX: usize = 48;

const WORD: usize = 4;

/** By path number: what stands there, and where. */
let kinds: usize = 0;
let starts: usize = 0;
let ends: usize = 0;
/** From an address of a line in this memory to the place in the buffer that it was copied from. */
let shift: isize = 0;

export function layOutResults(kindsAt: usize, startsAt: usize, endsAt: usize): void {
  kinds = kindsAt;
  starts = startsAt;
  ends = endsAt;
}

export function resultsShiftBy(bytes: isize): void {
  shift = bytes;
}

export function hasChildren(node: usize): bool {
  return (load<u32>(node, KEYED_COUNT) | load<u32>(node, INDEXED_COUNT)) !== 0;
}

/** Notes a value that stands at [start, end) for each path that ends in the node. */
export function capture(node: usize, kind: u32, start: usize, end: usize): void {
  const slots = load<usize>(node, SLOTS);
  const count = load<usize>(node, SLOT_COUNT);
  for (let i: usize = 0; i < count; i += 1) {
    const slot = load<usize>(slots + i * WORD);
    store<u8>(kinds + slot, kind);
    store<isize>(starts + slot * WORD, start + shift);
    store<isize>(ends + slot * WORD, end + shift);
  }
}

/** The child for a key without escapes; what an earlier value of the same key left is forgotten. */
export function childOf(node: usize, start: usize, end: usize): usize {
  if (load<u32>(node, DECODE_KEYS) !== 0) return escapedChildOf(node, start, end);
  const child = childByBytes(node, start, end - start);
  if (child !== 0) forget(child);
  return child;
}

/** The child for a key that has to be decoded. */
export function escapedChildOf(node: usize, start: usize, end: usize): usize {
  // Decoding copies the key: not for one that is too long to be wanted, however it is escaped.
  if (end - start > load<usize>(node, MAX_KEY_BYTES)) return 0;
  const child = decodedChild(node, start, end);
  if (child !== 0) forget(child);
  return child;
}

/** The child for an element of an array. */
export function elementOf(node: usize, index: u32): usize {
  const children = load<usize>(node, INDEXED);
  const count = load<usize>(node, INDEXED_COUNT);
  for (let i: usize = 0; i < count; i += 1) {
    const child = load<usize>(children + i * WORD);
    if (load<u32>(child, INDEX) === index) return child;
  }
  return 0;
}

function childByBytes(node: usize, key: usize, length: usize): usize {
  const children = load<usize>(node, KEYED);
  const count = load<usize>(node, KEYED_COUNT);
  for (let i: usize = 0; i < count; i += 1) {
    const child = load<usize>(children + i * WORD);
    if (load<usize>(child, KEY_BYTES) === length && isSame(load<usize>(child, KEY), key, length)) return child;
  }
  return 0;
}

function isSame(one: usize, other: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i += 1) if (load<u8>(one + i) !== load<u8>(other + i)) return false;
  return true;
}

function forget(node: usize): void {
  const slots = load<usize>(node, SLOTS_BELOW);
  const count = load<usize>(node, SLOT_BELOW_COUNT);
  for (let i: usize = 0; i < count; i += 1) store<u8>(kinds + load<usize>(slots + i * WORD), 0);
}
