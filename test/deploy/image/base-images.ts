import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { removeNow, removeWithParent } from '../../helpers/children.ts';

/** Changes with what is made here, so that a cache of another kind is not taken. */
const CACHE_VERSION = 1;

/** What an engine would begin with: the images of Debian, and those of Node.js, which are Debian with Node.js and npm. */
const IMAGE = /^(?:debian|node:(\d+)):?-?([a-z]+)-slim$/;

/** The environment of both. */
export const BASE_ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** Debian's packages cannot be had, so that there is nothing to begin with: no fault of the image. */
export class NoBase extends Error {}

/**
 * Puts the root of an image that FROM names into a directory that does not exist yet. Debian's is made by debootstrap, once,
 * and kept in `AUDITAIL_IMAGE_CACHE` or the user's cache. In that of Node.js the runtime of the lock file stands for the
 * image's, and the npm of this machine for its npm.
 *
 * @param runtime directory of the package that the runtime comes in
 * @throws NoBase where no mirror of Debian answers; Error for other images
 */
export function makeBase(image: string, directory: string, runtime: string): void {
  const [, major, suite] = IMAGE.exec(image) ?? [];
  if (suite === undefined) throw new Error(`FROM ${image}: nothing stands for that image here`);
  copyRoot(debian(suite), directory);
  if (major === undefined) return;
  const { version } = JSON.parse(fs.readFileSync(path.join(runtime, 'package.json'), 'utf8')) as { version: string };
  if (!version.startsWith(`${major}.`)) throw new Error(`FROM ${image}: the runtime here is ${version}`);
  const local = path.join(directory, 'usr/local');
  fs.copyFileSync(path.join(runtime, 'bin/node'), path.join(local, 'bin/node'));
  // The image has the one library of the runtime that Debian's slim image lacks.
  const library = execFileSync('ldd', [path.join(runtime, 'bin/node')], { encoding: 'utf8' });
  const atomic = /=> (\/\S*\/libatomic\.so\.1)/.exec(library)?.[1];
  if (atomic === undefined) throw new Error('libatomic1 is not installed here');
  fs.copyFileSync(fs.realpathSync(atomic), path.join(local, 'lib/libatomic.so.1'));
  execFileSync('chroot', [directory, 'ldconfig']);
  const npm = execFileSync('sh', ['-c', 'readlink -f "$(command -v npm)"'], { encoding: 'utf8' }).trim();
  fs.cpSync(path.resolve(npm, '../..'), path.join(local, 'lib/node_modules/npm'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  fs.symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', path.join(local, 'bin/npm'));
}

/** Copies a root as it is, with owners and modes, and without copying bytes where the file system can. */
export function copyRoot(from: string, to: string): void {
  execFileSync('cp', ['--archive', '--reflink=auto', from, to]);
}

function debian(suite: string): string {
  const { AUDITAIL_IMAGE_CACHE, XDG_CACHE_HOME } = process.env;
  const cache =
    AUDITAIL_IMAGE_CACHE || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'auditail-image');
  const kept = path.join(cache, `debian-${suite}-${process.arch}-${CACHE_VERSION}`);
  if (fs.existsSync(kept)) return kept;
  fs.mkdirSync(cache, { recursive: true, mode: 0o700 });
  // Beside its place, so that the rename that publishes it is one within a file system.
  const work = fs.mkdtempSync(path.join(cache, '.making-'));
  removeWithParent(work);
  try {
    const root = path.join(work, 'root');
    const { status, stdout, stderr } = spawnSync('debootstrap', ['--variant=minbase', suite, root], {
      encoding: 'utf8',
    });
    if (status !== 0)
      throw new NoBase(`debootstrap ${suite}: ${`${stdout}${stderr}`.trim().split('\n').slice(-3).join('; ')}`);
    execFileSync('chroot', [root, 'apt-get', 'clean']);
    // Debian's slim images come without package lists; debootstrap copies how this machine resolves names.
    fs.rmSync(path.join(root, 'var/lib/apt/lists'), { recursive: true });
    for (const file of ['etc/resolv.conf', 'etc/hostname']) fs.writeFileSync(path.join(root, file), '');
    // Two runs at once may both make one: the first that is ready stays.
    if (!fs.existsSync(kept)) fs.renameSync(root, kept);
  } finally {
    removeNow(work);
  }
  return kept;
}
