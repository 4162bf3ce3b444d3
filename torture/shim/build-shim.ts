import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * Compiles a C file to a library for `LD_PRELOAD`, once for each content of the file.
 *
 * @returns the library's path.
 * @throws Error when there is no C compiler (`CC`, or `cc`), or the file does not compile.
 */
export function buildShim(source: string): string {
  const directory = join(tmpdir(), `auditail-shim-${userInfo().uid}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const library = join(directory, `${hash}.so`);
  if (existsSync(library)) return library;
  // Renamed when it is whole: another process may build the same one.
  const unfinished = `${library}.${process.pid}`;
  const flags = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];
  execFileSync(process.env.CC ?? 'cc', [...flags, '-o', unfinished, source, '-ldl'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  renameSync(unfinished, library);
  return library;
}
