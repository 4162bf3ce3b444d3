import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { findProgram, versionOf } from './find-program.ts';

/** The references and tools, with the flag that makes each tell its version. */
const PROGRAMS = { pigz: '--version', zstd: '--version', jq: '--version', gzip: '--version', rsyslogd: '-v' } as const;

/** On what was measured, and with what. Nothing that names the machine or its owner. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** By program; those that are not installed are left out. */
  readonly versions: Readonly<Record<string, string>>;
}

export function describeMachine(): Machine {
  const versions: Record<string, string> = {};
  for (const [name, flag] of Object.entries(PROGRAMS)) {
    const program = findProgram(name);
    if (program !== undefined) versions[name] = versionOf(program, flag);
  }
  return {
    cores: os.availableParallelism(),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    versions,
  };
}

/** The commit that is measured, with `+` when files of it were changed; undefined outside of a repository. */
export function currentCommit(): string | undefined {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'package-lock.json') !== '';
    return `${git('rev-parse', '--short=10', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return undefined;
  }
}
