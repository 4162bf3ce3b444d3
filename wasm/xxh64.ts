/**
 * XXH64 with the seed 0, of which the lower 32 bits are used: the digest of a line. (Yann Collet, `xxhash_spec.md`.)
 *
 * The host copies content to `content` and asks for the digest of a part of it; or, for content that does not fit, gives
 * it piece by piece to one that is begun.
 */
const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

/** Four lanes of 64 bits are taken together. */
const STRIPE: usize = 32;
const LANE: usize = 8;
const HALF_LANE: usize = 4;

/** Of whole stripes. */
let lane1: u64 = 0;
let lane2: u64 = 0;
let lane3: u64 = 0;
let lane4: u64 = 0;
/** Of whole stripes, since {@link begin}. */
let taken: u64 = 0;

export function digest(at: usize, length: usize): u32 {
  begin();
  const rest = takeStripes(at, length);
  return end(at + length - rest, rest);
}

export function begin(): void {
  lane1 = PRIME_1 + PRIME_2;
  lane2 = PRIME_2;
  lane3 = 0;
  lane4 = 0 - PRIME_1;
  taken = 0;
}

/** Takes the whole stripes of what stands at `at`, and gives the bytes behind them: they begin the next piece. */
export function takeStripes(at: usize, length: usize): usize {
  const stop = at + length - (length % STRIPE);
  let one = lane1;
  let two = lane2;
  let three = lane3;
  let four = lane4;
  for (; at < stop; at += STRIPE) {
    one = round(one, load<u64>(at));
    two = round(two, load<u64>(at, LANE));
    three = round(three, load<u64>(at, 2 * LANE));
    four = round(four, load<u64>(at, 3 * LANE));
  }
  lane1 = one;
  lane2 = two;
  lane3 = three;
  lane4 = four;
  taken += length - (length % STRIPE);
  return length % STRIPE;
}

/** The digest of all that was taken, and of the last bytes, fewer than a stripe. */
export function end(at: usize, length: usize): u32 {
  let hash = PRIME_5;
  if (taken > 0) {
    hash = rotl(lane1, 1) + rotl(lane2, 7) + rotl(lane3, 12) + rotl(lane4, 18);
    hash = merged(merged(merged(merged(hash, lane1), lane2), lane3), lane4);
  }
  hash += taken + length;
  const stop = at + length;
  for (; at + LANE <= stop; at += LANE) hash = rotl(hash ^ round(0, load<u64>(at)), 27) * PRIME_1 + PRIME_4;
  if (at + HALF_LANE <= stop) {
    hash = rotl(hash ^ ((load<u32>(at) as u64) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    at += HALF_LANE;
  }
  for (; at < stop; at += 1) hash = rotl(hash ^ ((load<u8>(at) as u64) * PRIME_5), 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return (hash ^ (hash >> 32)) as u32;
}

function round(lane: u64, word: u64): u64 {
  return rotl(lane + word * PRIME_2, 31) * PRIME_1;
}

function merged(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
}
