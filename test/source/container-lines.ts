import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SourceConfig } from '../../src/config/types.ts';
import { criPart, dockerPart, type Part } from '../helpers/container-log.ts';

export const CRI = { format: 'cri', stream: 'stdout' } as const satisfies Partial<SourceConfig>;

let clock = Date.UTC(2026, 10, 20, 15);

/** Parts of one line of the container; the last of them ends it. */
export function line(...texts: string[]): string {
  return texts.map((text, index) => cri({ text, isPartial: index < texts.length - 1 })).join('');
}

/** Parts of a line that goes on. */
export function begun(...texts: string[]): string {
  return texts.map((text) => cri({ text, isPartial: true })).join('');
}

/** One part. */
export function cri(part: Part): string {
  clock += 1;
  return criPart({ timeMs: clock, ...part });
}

/** One part, as Docker writes it. */
export function docked(text: string, isPartial = false): string {
  clock += 1;
  return dockerPart({ text, isPartial, timeMs: clock });
}

/** Appends to a file, in directories that may not be there yet. */
export function write(file: string, ...contents: string[]): void {
  mkdirSync(path.dirname(file), { recursive: true });
  appendFileSync(file, contents.join(''));
}

let rotations = 0;

/** As kubelet does it. Gives the rotated part's path. */
export function rotate(file: string): string {
  rotations += 1;
  const part = `${file}.20261120-${150_000 + rotations}`;
  renameSync(file, part);
  writeFileSync(file, '');
  return part;
}
