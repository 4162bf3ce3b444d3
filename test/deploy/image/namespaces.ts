import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface Mount {
  /** A file or directory of the machine. */
  readonly source: string;
  /** Where it is in the root; what it is mounted on exists there. */
  readonly target: string;
  readonly readOnly?: boolean;
}

export interface RootOptions {
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** Whether the root itself, but no mount in it, is read-only. */
  readonly readOnly: boolean;
  /** Whether it has the network of the machine, or a loopback of its own and nothing else. */
  readonly network: 'machine' | 'loopback';
}

/** What the tests of the image call. */
const PROGRAMS = ['debootstrap', 'unshare', 'nsenter', 'mount', 'ip', 'chroot', 'setpriv', 'npm', 'zcat'];

/** Devices that container runtimes give. */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];

/** Why no image can be built or run here, for tests to be skipped with; false where it can. */
export function whyNoImage(): string | false {
  if (process.platform !== 'linux') return 'images are built on Linux';
  if (process.getuid?.() !== 0) return 'only root can make a root and mount into it';
  const missing = PROGRAMS.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  if (missing.length > 0) return `${missing.join(', ')} not installed`;
  const { status, stderr } = spawnSync('unshare', [...NAMESPACES, '--net', 'ip', 'link', 'set', 'lo', 'up']);
  return status === 0 ? false : `no namespaces can be made here: ${stderr}`;
}

/** With the end of unshare all in them ends, whatever it is. */
const NAMESPACES = ['--mount', '--propagation=private', '--pid', '--ipc', '--uts', '--fork', '--kill-child=SIGKILL'];

/**
 * A command line that runs a program as process 1 of namespaces of its own, in another root, with `/proc` and the devices
 * that container runtimes give.
 *
 * @param command found on the PATH of the root.
 */
export function inRoot(options: RootOptions, command: readonly string[]): string[] {
  const { root, mounts, readOnly, network } = options;
  const script = [
    ...(network === 'loopback' ? ['ip link set lo up'] : []),
    `mount --bind ${quote(root)} ${quote(root)}`,
    `mount -t proc proc ${quote(path.join(root, 'proc'))}`,
    `mount -t tmpfs -o mode=755 tmpfs ${quote(path.join(root, 'dev'))}`,
    ...DEVICES.flatMap((name) => {
      const device = path.join(root, 'dev', name);
      return [`: > ${quote(device)}`, `mount --bind /dev/${name} ${quote(device)}`];
    }),
    `mount -t tmpfs -o mode=1777 tmpfs ${quote(path.join(root, 'tmp'))}`,
    ...mounts.flatMap(({ source, target, readOnly }) => {
      const place = quote(path.join(root, target));
      return [`mount --bind ${quote(source)} ${place}`, ...(readOnly ? [`mount -o remount,bind,ro ${place}`] : [])];
    }),
    ...(readOnly ? [`mount -o remount,bind,ro ${quote(root)}`] : []),
    `exec chroot ${quote(root)} "$@"`,
  ].join('\n');
  const namespaces = network === 'loopback' ? [...NAMESPACES, '--net'] : NAMESPACES;
  return ['unshare', ...namespaces, 'sh', '-euc', script, 'sh', ...command];
}

/** Makes sure that something can be mounted on a path of a root. */
export function makeMountPoint(root: string, { source, target }: Mount): void {
  const place = path.join(root, target);
  if (fs.existsSync(place)) return;
  if (fs.statSync(source).isDirectory()) fs.mkdirSync(place, { recursive: true });
  else {
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.writeFileSync(place, '');
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
