import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { stage } from './stage.ts';

/** Where docs/operations.md says to unpack it. */
const INSTALLED_AT = '/usr/local';

export interface PackageOptions {
  /** The checkout. */
  readonly root: string;
  readonly version: string;
  /** Where the package goes. */
  readonly out: string;
  /** An empty directory for what it is made of. */
  readonly work: string;
  /** The time of every file in it, seconds since 1970: the same input gives the same bytes. */
  readonly epoch: number;
  /** Of gzip, 1 to 9. */
  readonly level: number;
}

/** Makes `auditail-<version>-linux-x64.tar.gz`, which runs wherever it is unpacked. Gives its path. */
export function makeTarball({ root, version, out, work, epoch, level }: PackageOptions): string {
  const name = `auditail-${version}-linux-x64`;
  const file = path.join(out, `${name}.tar.gz`);
  stage(root, path.join(work, name), INSTALLED_AT);
  const same = ['--sort=name', '--format=gnu', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${epoch}`];
  execFileSync('tar', ['-C', work, ...same, '-I', `gzip -n -${level}`, '-cf', file, name], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return file;
}
