import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { findProgram } from './find-program.ts';
import type { Input } from './input-store.ts';

/** `pigz` on the whole log into one file: reads, compresses and writes, and does nothing else. The limit for gzip. */
export function pigz(level: number, input: Input, threads: number): Contender {
  return compressor('pigz', [`-${level}`, '-p', String(threads), '-c'], input);
}

/** The same with zstd. */
export function zstd(level: number, input: Input, threads: number): Contender {
  return compressor('zstd', [`-${level}`, `-T${threads}`, '-q', '-c'], input);
}

/** `jq -c .`: what it takes others only to parse the log and print it again. Into /dev/null. */
export function jq(input: Input): Contender {
  return {
    name: 'jq -c .',
    maxRounds: 2,
    missing: missing('jq'),
    prepare: () => ({ command: ['jq', '-c', '.', input.path] }),
  };
}

function compressor(program: string, args: readonly string[], input: Input): Contender {
  return {
    // Where to is no part of the name.
    name: [program, ...args].filter((arg) => arg !== '-c' && arg !== '-q').join(' '),
    missing: missing(program),
    // The output is synced as auditail's is.
    prepare: (directory) => ({ command: [program, ...args, input.path], stdout: join(directory, 'output') }),
  };
}

function missing(program: string): string | undefined {
  return findProgram(program) === undefined ? `${program} is not installed` : undefined;
}
