import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { PackageOptions } from '../../packaging/tarball.ts';

export const CHECKOUT = path.resolve(import.meta.dirname, '../..');

/** A directory in which packages are made, quickly. */
export class Packages implements Disposable {
  readonly dir = mkdtempSync(path.join(os.tmpdir(), 'auditail-packages-'));
  #made = 0;

  /** @param level of gzip; dpkg-deb takes 0 for none. */
  make(make: (options: PackageOptions) => string, version: string, level = 0): string {
    this.#made += 1;
    const work = path.join(this.dir, `work-${this.#made}`);
    const out = path.join(this.dir, `out-${this.#made}`);
    for (const dir of [work, out]) mkdirSync(dir);
    try {
      return make({ root: CHECKOUT, version, out, work, epoch: 1_700_000_000, level });
    } finally {
      rmSync(work, { recursive: true });
    }
  }

  /** The same under another umask, which must make no difference. */
  makeAgain(make: (options: PackageOptions) => string, version: string, level = 0): string {
    const before = process.umask(0o077);
    try {
      return this.make(make, version, level);
    } finally {
      process.umask(before);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}
