import { readdirSync, readFileSync } from 'node:fs';

/** Of a clock tick in /proc: USER_HZ, which Linux keeps at 100 on all platforms that Node runs on. */
export const TICK_SECONDS = 0.01;

/** CPU of the children of this process that ended and were waited for, seconds, with all that they waited for. */
export function endedChildrenCpu(): number {
  const [cutime, cstime] = statFields('/proc/self/stat').slice(15, 17);
  return (Number(cutime) + Number(cstime)) * TICK_SECONDS;
}

/**
 * CPU that a process has used, seconds: of its threads that live, to the nanosecond. Ticks would say little about one that
 * rests. Threads that end take their time with them; those of Node and its pool live as long as the process.
 */
export function livingCpu(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  }
  return nanoseconds / 1e9;
}

/** `VmHWM`, the most memory that was resident, or `VmRSS`, what is now: bytes. Undefined when the process has ended. */
export function residentBytes(pid: number, key: 'VmHWM' | 'VmRSS'): number | undefined {
  try {
    const match = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    // Without the line it is a zombie: it has no memory any more.
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Open descriptors. Undefined when the process has ended. */
export function openDescriptors(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** True for what reading /proc gives when a process ends meanwhile. */
function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}

/** The fields of a `stat` file; the second, the program's name in parentheses, may hold spaces. */
function statFields(path: string): string[] {
  const text = readFileSync(path, 'latin1');
  const after = text.lastIndexOf(')') + 2;
  return ['', '', ...text.slice(after).trim().split(' ')];
}
