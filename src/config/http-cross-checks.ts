import type { Problem } from './problem.ts';
import type { HttpSinkConfig } from './types.ts';
import { formatSize } from './units.ts';
import type { Entry, ValidParts } from './valid-parts.ts';

/** Checks what concerns several keys of an HTTP sink, or it and the rest of the configuration. */
export function httpSinkProblems({ httpSinks, memoryLimit, sinkCount }: ValidParts): Problem[] {
  return httpSinks.flatMap((sink) => [...memoryProblems(sink, memoryLimit, sinkCount), ...authProblems(sink)]);
}

/** Each sink has an equal share of the memory. A batch that does not fit would never be full, or never be sent. */
function memoryProblems(
  { index, value }: Entry<HttpSinkConfig>,
  memoryLimit: number | undefined,
  sinks: number,
): Problem[] {
  if (memoryLimit === undefined) return [];
  const share = Math.floor(memoryLimit / sinks);
  if (value.batch.bytes <= share) return [];
  const batch = formatSize(value.batch.bytes);
  const message = `a batch of ${batch} does not fit into this sink's share of memory_limit: ${formatSize(memoryLimit)} over ${sinks} sink${sinks === 1 ? '' : 's'}`;
  return [{ path: ['sinks', index, 'batch', 'bytes'], message, complete: true }];
}

function authProblems({ index, value: { auth, headers } }: Entry<HttpSinkConfig>): Problem[] {
  if (auth === undefined) return [];
  const name = auth.kind === 'header' ? auth.name : 'authorization';
  const twin = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase());
  if (twin === undefined) return [];
  const message = 'this header is set by auth already; leave one of them out';
  return [{ path: ['sinks', index, 'headers', twin], message, complete: true, atKey: true }];
}
