import type { Benchmark } from './harness/benchmark.ts';
import { archiveSize } from './rows/archive-size.ts';
import { catchUp } from './rows/catch-up.ts';
import { httpDelivery } from './rows/http.ts';
import { idle } from './rows/idle.ts';
import { memory } from './rows/memory.ts';
import { namespaces } from './rows/namespaces.ts';
import { startUp } from './rows/start-up.ts';
import { steady } from './rows/steady.ts';

/** All that `npm run bench` measures, in this order. */
export const BENCHMARKS: readonly Benchmark[] = [
  catchUp,
  archiveSize,
  httpDelivery,
  namespaces,
  memory,
  steady,
  idle,
  startUp,
];
