import type { Place } from '../section.ts';

/** Reads a text by regular expressions (sticky ones), and knows where it stands. */
export class TextReader {
  readonly file: string;
  readonly #text: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.file = file;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  get place(): Place {
    const before = this.#text.slice(0, this.#at);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { file: this.file, line: before.split('\n').length, column: this.#at - lineStart + 1 };
  }

  /** The text that `pattern` (with the flag y) matches here, which is then behind; undefined when it does not match. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }
}
