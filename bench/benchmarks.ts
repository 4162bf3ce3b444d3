import type { Benchmark } from './harness/benchmark.ts';
import { archiveSize } from './rows/archive-size.ts';
import { catchUp } from './rows/catch-up.ts';

/** All that `npm run bench` measures, in this order. */
export const BENCHMARKS: readonly Benchmark[] = [catchUp, archiveSize];
