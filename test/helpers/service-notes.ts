import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A program `systemd-notify` of its own that notes what it was told, one call a line, and the environment to find it. */
export class ServiceNotes {
  readonly #dir = mkdtempSync(join(tmpdir(), 'auditail-notify-'));
  readonly #file = join(this.#dir, 'told');

  /** @param script further lines of the program, after the note. */
  constructor(script = '') {
    const program = join(this.#dir, 'systemd-notify');
    writeFileSync(program, `#!/bin/sh\necho "$*" >> '${this.#file}'\n${script}\n`);
    chmodSync(program, 0o755);
  }

  get env(): { readonly PATH: string; readonly NOTIFY_SOCKET: string } {
    return { PATH: `${this.#dir}${delimiter}${process.env.PATH}`, NOTIFY_SOCKET: join(this.#dir, 'socket') };
  }

  get told(): string[] {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8').trimEnd().split('\n') : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true });
  }
}
