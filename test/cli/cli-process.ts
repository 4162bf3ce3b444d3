import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Readable } from 'node:stream';

export const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real program to its end. */
export async function auditail(
  args: readonly string[],
  options: {
    env?: NodeJS.ProcessEnv;
    node?: readonly string[];
    uid?: number;
    cwd?: string;
    stdin?: Uint8Array;
  } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [...(options.node ?? []), MAIN, ...args], {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), closed]);
  return { code, stdout, stderr };
}

/** Runs the real program with an output that nobody reads. */
export async function withoutReader(args: readonly string[]): Promise<Omit<Finished, 'stdout'>> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stderr, code] = await Promise.all([textOf(child.stderr), closed]);
  return { code, stderr };
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}
