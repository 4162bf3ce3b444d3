import { glob, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SourceConfig } from '../config/types.ts';
import { errorCode } from '../errors.ts';
import { parseRotatedName } from './rotated-name.ts';

/** A file of a stream as one look at the directory showed it. */
export interface FoundFile {
  readonly path: string;
  readonly live: boolean;
  readonly gzip: boolean;
  readonly device: bigint;
  readonly inode: bigint;
  /** Bytes on disk. */
  readonly size: number;
  readonly modifiedMs: number;
  /** Changes with every rename, write or truncation: an unchanged one needs no second look. */
  readonly changedNs: bigint;
}

export interface FoundStream {
  /** Path of the live file, whether it is there or not. */
  readonly path: string;
  readonly files: readonly FoundFile[];
}

export interface Discovery {
  readonly streams: readonly FoundStream[];
  /** Directories whose changes are hints that something happened. */
  readonly directories: readonly string[];
}

/** So often is looked again where parts were added meanwhile, in a row. */
const MOST_LOOKS = 5;

const BY_NUMBER = new Intl.Collator('en', { numeric: true });

/** Files that other agents and editors leave beside logs; in a directory or glob they are no logs. */
const NOT_A_LOG =
  /^\.|~$|\.(?:pos|db|db-wal|db-shm|db-journal|sqlite|sqlite-wal|sqlite-shm|swp|tmp|lock|bz2|xz|zst|lz4)$/;

/**
 * Looks for a source's streams: its path may be a live file, a directory of live files, or a glob. Rotated parts are
 * never streams of their own. What cannot be read is left out; the caller tells that nothing was found.
 */
export async function discover(source: Pick<SourceConfig, 'path' | 'exclude'>): Promise<Discovery> {
  for (let left = MOST_LOOKS; ; left -= 1) {
    const parts = new RotatedParts();
    const discovery = await lookOnce(source, parts);
    // A file that was rotated between the two would be missed, and the one behind it be read before it.
    if (left === 1 || !(await parts.haveGrown())) return discovery;
  }
}

async function lookOnce(source: Pick<SourceConfig, 'path' | 'exclude'>, parts: RotatedParts): Promise<Discovery> {
  const groups = new Map<string, Set<string>>();
  const directories = new Set<string>();
  const isDirectory = (await statOrUndefined(source.path))?.isDirectory() ?? false;
  if (isDirectory) {
    directories.add(source.path);
    for (const name of await namesIn(source.path)) {
      await addByName(groups, path.join(source.path, name), directories, parts);
    }
  } else if (isGlob(source.path)) {
    for await (const match of glob(source.path)) await addByName(groups, match, directories, parts);
  } else {
    await addLiveFile(groups, source.path, directories, parts);
  }
  const streams = await Promise.all(
    [...groups].map(async ([live, paths]) => {
      const files: FoundFile[] = [];
      for (const file of asRotated(live, paths)) {
        const found = isExcluded(file, source.exclude) ? undefined : await look(file, live);
        if (found !== undefined) files.push(found);
      }
      return { path: live, files };
    }),
  );
  return { streams: streams.filter(({ files }) => files.length > 0), directories: [...directories] };
}

/**
 * The live file first, and then what is numbered, by its number. A rotation passes files on from each to the next without a name
 * that was not there: one that has gone on when its name is looked at is found under the next, and none is missed.
 */
function asRotated(live: string, paths: ReadonlySet<string>): string[] {
  return [...paths].sort((a, b) => Number(b === live) - Number(a === live) || BY_NUMBER.compare(a, b));
}

export function isGlob(text: string): boolean {
  return /[*?[{]/.test(text);
}

/** The rotated parts in each directory, by the name of their live file. Each directory is listed once a look, before the files are looked at. */
class RotatedParts {
  readonly #directories = new Map<string, Promise<Map<string, string[]>>>();

  /** Whether there are parts by now that were not when their directory was listed. */
  async haveGrown(): Promise<boolean> {
    for (const [directory, listed] of this.#directories) {
      const before = new Set([...(await listed).values()].flat());
      for (const name of await namesIn(directory))
        if (!before.has(name) && parseRotatedName(name) !== undefined) return true;
    }
    return false;
  }

  async of(live: string): Promise<readonly string[]> {
    const directory = path.dirname(live);
    let listed = this.#directories.get(directory);
    if (listed === undefined) {
      listed = namesIn(directory).then((names) => Map.groupBy(names, (name) => parseRotatedName(name)?.live ?? ''));
      this.#directories.set(directory, listed);
    }
    const names = (await listed).get(path.basename(live)) ?? [];
    return names.map((name) => path.join(directory, name));
  }
}

async function addByName(
  groups: Map<string, Set<string>>,
  file: string,
  directories: Set<string>,
  parts: RotatedParts,
): Promise<void> {
  const name = path.basename(file);
  directories.add(path.dirname(file));
  if (NOT_A_LOG.test(name)) return;
  const rotated = parseRotatedName(name);
  if (rotated !== undefined) addTo(groups, path.join(path.dirname(file), rotated.live), file);
  else await addLiveFile(groups, file, directories, parts);
}

/** A live file that was named in the configuration is one whatever it is called; its siblings stand beside its target. */
async function addLiveFile(
  groups: Map<string, Set<string>>,
  live: string,
  directories: Set<string>,
  parts: RotatedParts,
): Promise<void> {
  const target = await realpath(live).catch(() => live);
  directories.add(path.dirname(target)).add(path.dirname(live));
  if ((await statOrUndefined(live)) !== undefined) addTo(groups, live, live);
  for (const part of await parts.of(target)) addTo(groups, live, part);
}

function addTo(groups: Map<string, Set<string>>, live: string, file: string): void {
  const group = groups.get(live);
  if (group === undefined) groups.set(live, new Set([file]));
  else group.add(file);
}

async function look(file: string, live: string): Promise<FoundFile | undefined> {
  const stats = await statOrUndefined(file);
  if (stats === undefined || !stats.isFile()) return undefined;
  return {
    path: file,
    live: file === live,
    gzip: file !== live && file.endsWith('.gz'),
    device: stats.dev,
    inode: stats.ino,
    size: Number(stats.size),
    modifiedMs: Number(stats.mtimeMs),
    changedNs: stats.ctimeNs,
  };
}

function isExcluded(file: string, exclude: readonly string[]): boolean {
  return exclude.some((pattern) => path.matchesGlob(pattern.includes('/') ? file : path.basename(file), pattern));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

async function statOrUndefined(file: string) {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
