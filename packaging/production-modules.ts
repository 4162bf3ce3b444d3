import fs from 'node:fs';
import path from 'node:path';

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly dev?: true }>>;
}

/** Packages that are not modules of the program: the runtime is packed by itself, and headers serve compilers. */
const NO_MODULE = /\/(node-linux-\w+|node-addon-api)$/;

/** What the packages are made for; the names are those of Node.js. */
export type Architecture = 'x64' | 'arm64';

const PREBUILDS = 'better-sqlite3/prebuilds/';

/** What no running program reads: sources of native code, types, maps, documents. */
const UNREAD = [
  /^better-sqlite3\/(deps|src|binding\.gyp)/,
  /\.d\.[cm]?ts$/,
  /\.map$/,
  /(^|\/)(test|tests|docs|benchmarks?|examples)\//,
  /(^|\/)\.[^/]+/,
];

/** Paths (`node_modules/zod`) of the installed packages that the program needs, as the lock file says, sorted. */
export function productionModules(root: string): string[] {
  const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as LockFile;
  return Object.entries(lock.packages)
    .filter(([place, { dev }]) => place !== '' && dev !== true && !NO_MODULE.test(place))
    .map(([place]) => place)
    .filter((place) => fs.existsSync(path.join(root, place)))
    .toSorted();
}

/**
 * Whether a file of a package is needed on Linux with glibc.
 *
 * @param file its path from `node_modules` on, `better-sqlite3/lib/util.js`.
 */
export function isRead(file: string, architecture: Architecture): boolean {
  if (file.startsWith(PREBUILDS)) return file === `${PREBUILDS}linux-${architecture}.node`;
  return !UNREAD.some((pattern) => pattern.test(file));
}
