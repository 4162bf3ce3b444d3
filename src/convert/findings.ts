import type { Param, Place, Section } from './section.ts';

/** `warning`: something is not, or not quite, as it was. `note`: something has no meaning here, and why. */
export type Level = 'warning' | 'note';

export interface Finding extends Place {
  readonly level: Level;
  readonly message: string;
  /** It is said of everything in the section that begins there. */
  readonly whole?: true;
}

/** A parameter that became a part of the configuration. */
export interface Translation extends Place {
  readonly parameter: string;
}

/** Sections of fluentd that events have to come to. */
const REACHED = new Set(['match', 'filter', 'store']);

/**
 * What is said of a conversion. Every parameter is accounted for here: translated, noted or warned of. {@link sweep}
 * warns of those that nothing looked at, so that none is lost in silence.
 */
export class Findings {
  readonly #found = new Map<string, Finding>();
  readonly #translated = new Map<Param, Translation>();
  readonly #accounted = new Set<Param>();

  warn(at: Param | Section | Place, message: string): void {
    this.#add('warning', at, message);
  }

  note(at: Param | Section | Place, message: string): void {
    this.#add('note', at, message);
  }

  translated(...params: readonly (Param | undefined)[]): void {
    for (const param of params) {
      if (param === undefined) continue;
      this.#accounted.add(param);
      this.#translated.set(param, { ...param.place, parameter: param.key });
    }
  }

  /** One warning for a section and all that is in it. */
  warnAll(section: Section, message: string): void {
    this.#add('warning', section, message, true);
    this.#account(section);
  }

  /** One note for a section and all that is in it. */
  noteAll(section: Section, message: string): void {
    this.#add('note', section, message, true);
    this.#account(section);
  }

  /** Warns of every parameter below `section` that nothing was said of. */
  sweep(section: Section): void {
    if (REACHED.has(section.name) && this.#isUntouched(section)) {
      this.warnAll(section, 'no event of a source that could be converted comes here; it was left out');
      return;
    }
    for (const param of section.params) {
      if (!this.#accounted.has(param)) this.warn(param, `${param.key} was not carried over`);
    }
    for (const child of section.sections) this.sweep(child);
  }

  /** In the order of files, then lines. */
  of(level: Level): Finding[] {
    return [...this.#found.values()].filter((finding) => finding.level === level).sort(inOrder);
  }

  get translations(): Translation[] {
    return [...this.#translated.values()].sort(inOrder);
  }

  #isUntouched({ params, sections }: Section): boolean {
    return params.every((param) => !this.#accounted.has(param)) && sections.every((child) => this.#isUntouched(child));
  }

  #account(section: Section): void {
    for (const param of section.params) this.#accounted.add(param);
    for (const child of section.sections) this.#account(child);
  }

  #add(level: Level, at: Param | Section | Place, message: string, isWhole = false): void {
    if ('key' in at) this.#accounted.add(at);
    const { file, line, column } = 'place' in at ? at.place : at;
    // The same plugin may be looked at several times, once for each way into it.
    this.#found.set(`${file}:${line}:${column} ${message}`, {
      ...{ level, file, line, column, message },
      ...(isWhole ? { whole: true } : {}),
    });
  }
}

function inOrder(a: Place, b: Place): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
