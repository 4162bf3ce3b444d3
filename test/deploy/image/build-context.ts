import fs from 'node:fs';
import path from 'node:path';

/** The files of a checkout that COPY sees: those that .dockerignore lets through. */
export class BuildContext {
  readonly #root: string;
  readonly #allowed: ReadonlySet<string>;

  /** @throws Error where .dockerignore says anything but `*` and then `!NAME` of entries that exist. */
  constructor(root: string, ignore = fs.readFileSync(path.join(root, '.dockerignore'), 'utf8')) {
    const [first, ...others] = ignore.trim().split('\n');
    if (first !== '*') throw new Error('.dockerignore does not begin with *: what is not named would be sent along');
    const names = others.map((line) => /^!([\w.-]+)$/.exec(line)?.[1]);
    for (const [index, name] of names.entries()) {
      if (name === undefined) throw new Error(`.dockerignore:${index + 2}: ${others[index]} is not of the form !NAME`);
      if (!fs.existsSync(path.join(root, name))) throw new Error(`.dockerignore:${index + 2}: there is no ${name}`);
    }
    this.#root = root;
    this.#allowed = new Set(names as string[]);
  }

  /** Names at the top that are let through. */
  get names(): readonly string[] {
    return [...this.#allowed];
  }

  /** Where the source of a COPY is. @throws Error for what an engine would not find. */
  find(source: string): string {
    const [top] = path.normalize(source).split(path.sep);
    const file = path.join(this.#root, source);
    if (!this.#allowed.has(top!) || !fs.existsSync(file)) throw new Error(`COPY ${source}: not in the build context`);
    return file;
  }
}
