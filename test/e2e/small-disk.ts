import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MIB = 1024 * 1024;
const FILLER = 'filler';

/** Why no file system can be mounted here, for a test to be skipped with; false where it can. */
export function whyNoSmallDisk(): string | false {
  if (process.getuid?.() !== 0) return 'only root can mount a tmpfs';
  try {
    new SmallDisk(1)[Symbol.dispose]();
    return false;
  } catch (error) {
    return `cannot mount a tmpfs: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}

/** A tmpfs of a few MiB that can be filled to the last byte, freed, and made read-only. */
export class SmallDisk implements Disposable {
  readonly path: string;

  constructor(mib: number) {
    this.path = mkdtempSync(join(tmpdir(), 'auditail-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=755`, 'auditail-test', this.path], {
        stdio: 'pipe',
      });
    } catch (error) {
      rmSync(this.path, { recursive: true });
      throw error;
    }
  }

  /** Writes until nothing more fits. */
  fill(): void {
    const fd = openSync(join(this.path, FILLER), 'a');
    const zeros = Buffer.alloc(MIB);
    try {
      for (let size = zeros.length; size > 0; ) {
        try {
          writeSync(fd, zeros, 0, size);
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
          size = Math.floor(size / 2);
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  free(): void {
    rmSync(join(this.path, FILLER));
  }

  remount(mode: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${mode}`, this.path], { stdio: 'pipe' });
  }

  [Symbol.dispose](): void {
    // Lazily: whatever still has a file open there must not keep the test from ending.
    execFileSync('umount', ['-l', this.path], { stdio: 'pipe' });
    rmSync(this.path, { recursive: true });
  }
}
