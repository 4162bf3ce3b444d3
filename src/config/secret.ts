import { constants, readFileSync, statSync } from 'node:fs';
import { inspect } from 'node:util';
import { AuditailError } from '../errors.ts';
import { MAX_SECRET_LENGTH } from './limits.ts';
import type { Secret } from './types.ts';

const SHOWN = '[secret]';

/** A file's times have steps: what was written this recently may change again without a trace in them. */
const SETTLED_MS = 2_000;

/** What everything that prints gets in place of the text: JSON, template strings and `util.inspect`. */
abstract class HiddenText implements Secret {
  abstract reveal(): string;

  toJSON(): string {
    return SHOWN;
  }

  toString(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** A secret that stands in the configuration, or came from the environment. */
export class TextSecret extends HiddenText {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }
}

/**
 * A secret that stands in a file of its own, which is read when it is first asked for and again after it changed: a
 * rotated credential is used without a restart. Symbolic links are followed, as a Kubernetes secret's mount swaps one.
 */
export class FileSecret extends HiddenText {
  readonly #file: string;
  #text = '';
  /** Of the file that `#text` is from; undefined when it must be read again. */
  #version: string | undefined;

  constructor(file: string) {
    super();
    this.#file = file;
  }

  get file(): string {
    return this.#file;
  }

  reveal(): string {
    try {
      const stat = statSync(this.#file, { bigint: true });
      if (!stat.isFile()) throw this.#unusable('is no regular file');
      // Before it is read: a change in between is seen the next time.
      const version = `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
      if (version === this.#version) return this.#text;
      this.#text = this.#checked(stat.size > MAX_SECRET_LENGTH ? undefined : this.#read());
      this.#version = Date.now() - Number(stat.ctimeMs) > SETTLED_MS ? version : undefined;
      return this.#text;
    } catch (cause) {
      if (cause instanceof AuditailError) throw cause;
      throw new AuditailError('SECRET_FILE', `cannot read the secret file ${this.#file}`, { cause });
    }
  }

  /** A pipe that took the file's place meanwhile gives nothing, instead of holding up the agent. */
  #read(): string {
    return readFileSync(this.#file, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NONBLOCK });
  }

  #checked(content: string | undefined): string {
    if (content === undefined) throw this.#unusable(`has more than ${MAX_SECRET_LENGTH} bytes, which no secret has`);
    const text = content.replace(/\r?\n$/, '');
    if (text === '') throw this.#unusable('is empty');
    // No header could carry it, and the error that told so would quote it.
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) throw this.#unusable('has more than one line, or control characters');
    return text;
  }

  #unusable(reason: string): AuditailError {
    return new AuditailError('SECRET_FILE', `the secret file ${this.#file} ${reason}`, {
      hint: 'Write the secret into it, on one line',
    });
  }
}
