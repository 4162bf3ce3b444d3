/** Two hexadecimal digits for each byte value. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * A small seeded generator: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c), its
 * state filled from the seed by SplitMix32 steps. The same seed gives the same numbers on every machine; the period is
 * 2^128 - 1. For test data only.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let state = seed | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // An all-zero state would stay zero for ever.
    this.#d = next() | 1;
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A number in [0, 1). */
  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.float() * limit);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** Eight hexadecimal digits. */
  hex8(): string {
    const n = this.uint32();
    return HEX[n >>> 24]! + HEX[(n >>> 16) & 255]! + HEX[(n >>> 8) & 255]! + HEX[n & 255]!;
  }

  /** A version 4 UUID. */
  uuid(): string {
    const b = this.hex8();
    const c = this.hex8();
    const variant = '89ab'[this.uint32() & 3]!;
    return `${this.hex8()}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${this.hex8()}`;
  }
}

/** Draws indexes 0 to n - 1 with probabilities in proportion to `weights`. */
export class WeightedChoice {
  readonly #cumulative: readonly number[];

  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    this.#cumulative = weights.map((weight) => {
      sum += weight;
      return sum / total;
    });
  }

  next(random: Random): number {
    const x = random.float();
    const index = this.#cumulative.findIndex((limit) => x < limit);
    return index === -1 ? this.#cumulative.length - 1 : index;
  }
}

/** Zipf's law: the k-th of `n` weighs 1 / k^exponent. */
export function zipfWeights(n: number, exponent: number): number[] {
  return Array.from({ length: n }, (_, k) => 1 / (k + 1) ** exponent);
}

/** Pareto's law, cut at both ends: many small values, a few huge ones. */
export class BoundedPareto {
  readonly mean: number;
  readonly #low: number;
  readonly #shape: number;
  readonly #cut: number;

  /** Values lie in [low, high]; a smaller `shape` (above 1) makes the tail heavier. */
  constructor(low: number, high: number, shape: number) {
    this.#low = low;
    this.#shape = shape;
    this.#cut = 1 - (low / high) ** shape;
    this.mean = ((low ** shape / this.#cut) * shape * (low ** (1 - shape) - high ** (1 - shape))) / (shape - 1);
  }

  next(random: Random): number {
    return this.#low * (1 - random.float() * this.#cut) ** (-1 / this.#shape);
  }
}
