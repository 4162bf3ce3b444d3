import fc from 'fast-check';
import { Random } from '../../bench/random.ts';

const KINDS = [
  'flip',
  'set',
  'cut',
  'remove',
  'insert',
  'double',
  'repeat',
  'splice',
  'graft',
  'number',
  'word',
  'fill',
] as const;

export type MutationKind = (typeof KINDS)[number];

/** Those that leave each byte where it is: what is found by its place, such as the pages of a database, is found still. */
export const IN_PLACE: readonly MutationKind[] = ['flip', 'set', 'splice', 'word', 'fill'];

/** One damage to bytes. Places and lengths are parts of the bytes that it is done to, so that it fits any. */
export interface Mutation {
  readonly kind: MutationKind;
  /** From 0 to below 1. */
  readonly at: number;
  /** Bytes that are concerned. */
  readonly length: number;
  readonly byte: number;
  /** Where in the other bytes a part is taken from, from 0 to below 1. */
  readonly from: number;
  /** Which of the extreme values. */
  readonly pick: number;
}

export interface Damage {
  /** Texts of the format, which are put in. */
  readonly tokens?: readonly string[];
  /** Mutations one upon the other, at most. Default 6. */
  readonly most?: number;
  /** Default: all. */
  readonly kinds?: readonly MutationKind[];
}

/** Bytes that mean something in one of the formats that are read. */
const TELLING = Buffer.from('"\\{}[],:0129.eE+-tfn/u \n\t\r\0*&!|>%$<#=@_\x1f\x7f\x80\xff', 'latin1');

/** At the edges of what a number may be. */
const NUMBERS = ['0', '-1', '99999999999999999999', '4294967296', '9007199254740993', '1e999', '-0', '0x7fffffff'];
const WORDS = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** A part that is repeated makes at most so many bytes more. */
const MOST_REPEATED = 64 * 1024;

const DIGITS = /-?[0-9]+(?:\.[0-9]+)?/g;

/** Mutations are drawn from a seeded generator, so that a loop without fast-check is repeatable too. */
export function drawMutation(random: Random, kinds: readonly MutationKind[] = KINDS): Mutation {
  const kind = random.pick(kinds);
  // Mostly small ones: large ones leave nothing of the format.
  const length = 1 + random.below(random.chance(0.8) ? 16 : 4096);
  const byte = random.chance(0.5) ? TELLING[random.below(TELLING.length)]! : random.below(256);
  return { kind, at: random.float(), length, byte, from: random.float(), pick: random.uint32() };
}

/** The bytes with the damage done. `other` is where parts come from, `tokens` what may be put in whole. */
export function mutate(bytes: Buffer, mutation: Mutation, other: Buffer, tokens: readonly string[] = []): Buffer {
  const { kind, at, length, byte, from, pick } = mutation;
  const place = Math.floor(at * bytes.length);
  const part = bytes.subarray(place, place + length);
  const start = Math.floor(from * other.length);
  const foreign =
    tokens.length > 0 && pick % 2 === 0
      ? Buffer.from(tokens[(pick >>> 1) % tokens.length]!, 'latin1')
      : other.subarray(start, start + length);
  const replaced = (middle: Buffer, gone: number) =>
    Buffer.concat([bytes.subarray(0, place), middle, bytes.subarray(place + gone)]);
  switch (kind) {
    case 'flip':
      return replaced(Buffer.of((bytes[place] ?? 0) ^ (1 << (byte % 8))), 1);
    case 'set':
      return replaced(Buffer.of(byte), 1);
    case 'cut':
      return bytes.subarray(0, place);
    case 'remove':
      return replaced(Buffer.alloc(0), length);
    case 'insert':
      return replaced(Buffer.of(byte), 0);
    case 'double':
      return replaced(part, 0);
    case 'repeat':
      return replaced(Buffer.alloc(Math.min(MOST_REPEATED, part.length * times(pick)), part), 0);
    case 'splice':
      return replaced(foreign, foreign.length);
    case 'graft':
      return replaced(foreign, 0);
    case 'number':
      return withNumber(bytes, place, NUMBERS[pick % NUMBERS.length]!);
    case 'word':
      return withWord(bytes, place, pick);
    case 'fill':
      return replaced(Buffer.alloc(part.length, byte), part.length);
  }
}

/** Mostly a few: large ones take most of the time. */
function times(pick: number): number {
  return pick % 16 === 0 ? pick % 5000 : 2 + (pick % 7);
}

/** A number in digits, the next one behind the place, has another value. */
function withNumber(bytes: Buffer, place: number, number: string): Buffer {
  const behind = bytes.toString('latin1', place, place + 4096);
  DIGITS.lastIndex = 0;
  const found = DIGITS.exec(behind);
  if (found === null) return Buffer.concat([bytes.subarray(0, place), Buffer.from(number), bytes.subarray(place)]);
  const start = place + found.index;
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(number), bytes.subarray(start + found[0].length)]);
}

/** Four bytes have the value of an edge, in either order. */
function withWord(bytes: Buffer, place: number, pick: number): Buffer {
  if (bytes.length < 4) return bytes;
  const changed = Buffer.from(bytes);
  const value = WORDS[pick % WORDS.length]!;
  const at = Math.min(place, bytes.length - 4);
  if ((pick & 0x1000) === 0) changed.writeUInt32LE(value, at);
  else changed.writeUInt32BE(value, at);
  return changed;
}

/** Mutations, to be done one upon the other; fewer of them where fast-check shrinks. */
export function mutations({ most = 6, kinds = KINDS }: Omit<Damage, 'tokens'> = {}): fc.Arbitrary<Mutation[]> {
  const one = fc.noBias(fc.integer()).map((seed) => drawMutation(new Random(seed), kinds));
  return fc.array(one, { minLength: 1, maxLength: most, size: 'max' });
}

/** One of the seeds, damaged in one to `most` ways. */
export function mutated(seeds: readonly (Buffer | string)[], { tokens = [], ...damage }: Damage = {}) {
  const all = seeds.map((seed) => Buffer.from(seed as string));
  const index = fc.nat(all.length - 1);
  return fc
    .tuple(index, index, mutations(damage))
    .map(([seed, other, steps]) =>
      steps.reduce<Buffer>((bytes, step) => mutate(bytes, step, all[other]!, tokens), all[seed]!),
    );
}
