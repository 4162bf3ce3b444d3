import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What the maintainer scripts, the wrapper and the tests call. */
const PROGRAMS = ['sh', 'useradd', 'getent', 'readlink', 'dirname', 'setpriv', 'chmod'];

/** What the package depends on; the records of these are taken over from this machine's dpkg. */
const INSTALLED = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'passwd'];

/** Why no package can be installed here, for a test to be skipped with; false where it can. */
export function whyNoFreshRoot(): string | false {
  if (process.getuid?.() !== 0) return 'only root can install into another root';
  if (process.arch !== 'x64') return 'the package is for x64';
  for (const program of ['dpkg', 'dpkg-deb', 'dpkg-query', 'ldd', 'chroot', ...PROGRAMS]) {
    if (which(program) === undefined) return `${program} is not installed`;
  }
  const { status } = spawnSync('dpkg-query', ['--status', ...INSTALLED]);
  return status === 0 ? false : `not all of ${INSTALLED.join(', ')} are installed here by dpkg`;
}

/** A root of its own with a dpkg database, a shell, and the libraries that the package depends on; without Node.js. */
export class FreshRoot implements Disposable {
  readonly path = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-root-'));

  constructor() {
    for (const dir of ['etc', 'tmp', 'dev', 'usr/bin', 'usr/sbin', 'usr/lib', 'var/lib', 'var/log']) this.#make(dir);
    for (const dir of ['bin', 'sbin', 'lib', 'lib64']) fs.symlinkSync(`usr/${dir}`, this.at(`/${dir}`));
    this.#make('usr/lib64');
    fs.chmodSync(this.path, 0o755);
    for (const program of PROGRAMS) this.addProgram(program);
    for (const library of [
      'libstdc++.so.6',
      'libgcc_s.so.1',
      'libatomic.so.1',
      'libdl.so.2',
      'libpthread.so.0',
      'libm.so.6',
    ]) {
      this.#add(path.join('/usr/lib/x86_64-linux-gnu', library));
    }
    fs.writeFileSync(this.at('/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    fs.writeFileSync(this.at('/etc/group'), 'root:x:0:\n');
    for (const dir of ['info', 'updates', 'triggers']) this.#make(`var/lib/dpkg/${dir}`);
    const { stdout } = spawnSync('dpkg-query', ['--status', ...INSTALLED]);
    fs.writeFileSync(this.at('/var/lib/dpkg/status'), stdout);
    fs.writeFileSync(this.at('/dev/null'), '');
  }

  /** The place of a path of this root on the machine. */
  at(file: string): string {
    return path.join(this.path, file);
  }

  /** Copies one of this machine's programs, with the libraries that it needs. */
  addProgram(name: string): void {
    const file = which(name)!;
    this.#add(file);
    const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
    for (const [library] of stdout.matchAll(/\/\S+\.so\S*/g)) this.#add(library);
  }

  /**
   * Puts a program here that notes how it is called, and fails for all but `daemon-reload`: no installation may
   * fail because a service does. Gives a function for the calls since the last time.
   */
  noteCalls(name: string): () => string[] {
    const notes = this.at(`/var/log/${name}.calls`);
    const fails = '[ "$1" = daemon-reload ]';
    fs.writeFileSync(this.at(`/usr/bin/${name}`), `#!/bin/sh\necho "$*" >> '/var/log/${name}.calls'\n${fails}\n`, {
      mode: 0o755,
    });
    return () => {
      const text = fs.existsSync(notes) ? fs.readFileSync(notes, 'utf8') : '';
      fs.rmSync(notes, { force: true });
      return text.split('\n').filter((line) => line !== '');
    };
  }

  dpkg(...args: string[]): SpawnSyncReturns<string> {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return spawnSync('dpkg', [`--root=${this.path}`, `--log=${this.at('/var/log/dpkg.log')}`, ...args], {
      encoding: 'utf8',
      env,
    });
  }

  /** Runs a program inside, as root and with the environment that systemd gives to services. */
  run(...command: string[]): SpawnSyncReturns<string> {
    const env = { PATH: '/usr/sbin:/usr/bin', LANG: 'C.UTF-8' };
    return spawnSync('/usr/sbin/chroot', [this.path, ...command], { encoding: 'utf8', env, timeout: 60_000 });
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true });
  }

  #make(dir: string): void {
    fs.mkdirSync(this.at(`/${dir}`), { recursive: true, mode: 0o755 });
  }

  #add(file: string): void {
    const target = this.at(file);
    if (fs.existsSync(target)) return;
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(file, target);
    fs.chmodSync(target, 0o755);
  }
}

function which(program: string): string | undefined {
  return ['/usr/bin', '/usr/sbin', '/bin', '/sbin']
    .map((dir) => path.join(dir, program))
    .find((file) => fs.existsSync(file));
}
