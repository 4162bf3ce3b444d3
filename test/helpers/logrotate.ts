import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where the program is found: on the PATH, or where Debian installs it. Undefined when there is none. */
export function findLogrotate(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'logrotate'))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The real logrotate, forced to rotate one file (`logrotate -f -s STATE CONFIG`).
 *
 * Configuration and state live in a directory of their own: in that of the log they would be taken for logs.
 */
export class Logrotate {
  readonly #program: string;
  readonly #directory: string;
  readonly #config: string;

  /**
   * @param directives lines of the file's section, such as `copytruncate`; `rotate 1000` is always there.
   * @throws Error where the program is missing; ask {@link findLogrotate} first.
   */
  constructor(livePath: string, directives: readonly string[]) {
    const program = findLogrotate();
    if (program === undefined) throw new Error('logrotate is not installed: neither on the PATH nor in /usr/sbin');
    this.#program = program;
    this.#directory = mkdtempSync(join(tmpdir(), 'auditail-logrotate-'));
    this.#config = join(this.#directory, 'logrotate.conf');
    const section = ['rotate 1000', ...directives].map((line) => `  ${line}\n`).join('');
    // logrotate ignores configurations that others can write.
    writeFileSync(this.#config, `"${livePath}" {\n${section}}\n`, { mode: 0o600 });
  }

  /** @throws Error with what the program printed, when it fails. */
  run(): void {
    const args = ['-f', '-s', join(this.#directory, 'state'), this.#config];
    const { status, stderr, error } = spawnSync(this.#program, args, { encoding: 'utf8' });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`logrotate ended with ${status}: ${stderr.trim()}`);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
