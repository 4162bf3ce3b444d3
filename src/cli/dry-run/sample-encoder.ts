import type { SampleEncoder } from './bodies.ts';

/** What `dry-run --show` makes request bodies with; without it only the lines are shown. */
export const encodeSample: SampleEncoder | undefined = undefined;
