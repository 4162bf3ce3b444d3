import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';

export interface OpenBy {
  readonly pid: number;
  readonly name: string;
}

/**
 * A process that has the file open, as far as this user may see that. Other agents hold their positions open as long as
 * they run, and write them anew all the time.
 */
export function processWith(file: string): OpenBy | undefined {
  const wanted = realpathSync(file);
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    for (const fd of list(`/proc/${pid}/fd`)) {
      if (targetOf(`/proc/${pid}/fd/${fd}`) === wanted) return { pid: Number(pid), name: nameOf(pid) };
    }
  }
  return undefined;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Another user's process, or one that has ended.
    return [];
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'a process';
  }
}
