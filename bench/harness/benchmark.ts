import type { Figure } from './figure.ts';
import type { InputStore } from './input-store.ts';
import type { Runs } from './take-turns.ts';

/** How much is measured. */
export interface Extent {
  /** Bytes of the input that most rows use. */
  readonly inputBytes: number;
  /** Of the input of `catch-up`: large enough that a start is a small part of it. */
  readonly catchUpBytes: number;
  readonly rounds: number;
  /** Bytes of the inputs whose memory is compared. */
  readonly memoryBytes: readonly number[];
  /** Of the steady load. */
  readonly steadySeconds: number;
  /** Until an agent rests, and how long it is watched then. */
  readonly restSeconds: number;
  readonly idleSeconds: number;
  /** False leaves out references without a target. */
  readonly allReferences: boolean;
}

export interface Bench {
  readonly extent: Extent;
  readonly inputs: InputStore;
  /** An empty directory of the benchmark's own, on the disk that is measured. */
  readonly scratch: string;
  /** Compression threads, and those of the references: the cores. */
  readonly threads: number;
  readonly tell: (line: string) => void;
}

export interface Outcome {
  readonly figures: readonly Figure[];
  /** Of a row that does not use {@link Extent.inputBytes}. */
  readonly inputBytes?: number;
  /** What the figures were worked out from, where whole processes took turns. */
  readonly runs?: readonly Runs[];
}

/** One of the things that can be measured, by itself or with the others. */
export interface Benchmark {
  /** For `--rows`. */
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  /** Part of `--quick`. */
  readonly quick: boolean;
  run(bench: Bench): Promise<Outcome>;
}
