import { execFileSync } from 'node:child_process';

/** Why no library can be put between a program and the kernel here; undefined when one can. */
export function shimObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  const compiler = process.env.CC ?? 'cc';
  try {
    // A compiler may be there without the headers of libc.
    execFileSync(compiler, ['-E', '-x', 'c', '-'], {
      input: '#include <dlfcn.h>\n',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    return undefined;
  } catch {
    return `there is no C compiler with the headers of libc: ${compiler}`;
  }
}
