import type { SinkProbe } from './probe-sinks.ts';

/** What `check --probe` asks receivers with; without it the option is not offered. */
export const probeSink: SinkProbe | undefined = undefined;
