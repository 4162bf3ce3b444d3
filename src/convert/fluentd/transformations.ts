import type { Context } from '../context.ts';
import type { Section } from '../section.ts';
import type { FieldAlias } from './field-alias.ts';
import { type DropCondition, readGrep } from './grep.ts';
import type { Element } from './pipeline.ts';
import { readTransformer, type Transformation } from './record-transformer.ts';

const TRANSFORMERS = new Set(['record_transformer', 'record_modifier']);
/** They only count or show what passes. */
const OBSERVERS = new Set(['stdout', 'prometheus', 'flowcounter_simple']);

/** Reads each filter once, whatever comes through it. */
export class Transformations {
  readonly #context: Context;
  readonly #read = new Map<Section, Transformation | undefined>();
  readonly #greps = new Map<Section, DropCondition[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  of({ section }: Element): Transformation | undefined {
    if (!this.#read.has(section)) this.#read.set(section, this.#readFilter(section));
    return this.#read.get(section);
  }

  /** The fields that are copies of others behind these filters. */
  aliases(filters: readonly Element[]): Map<string, FieldAlias> {
    const aliases = new Map<string, FieldAlias>();
    for (const filter of filters) {
      const transformation = this.of(filter);
      for (const [name, alias] of transformation?.aliases ?? []) aliases.set(name, alias);
      for (const name of transformation?.removed.keys() ?? []) aliases.delete(name);
    }
    return aliases;
  }

  /** When the filter is a grep: what it drops. `before` are the filters that stand before it. */
  drops({ section }: Element, before: readonly Element[]): DropCondition[] | undefined {
    if (section.type !== 'grep') return undefined;
    let known = this.#greps.get(section);
    if (known === undefined) {
      known = readGrep(section, this.aliases(before), this.#context);
      this.#greps.set(section, known);
    }
    return known;
  }

  #readFilter(section: Section): Transformation | undefined {
    if (TRANSFORMERS.has(section.type)) return readTransformer(section, this.#context);
    const { findings } = this.#context;
    if (OBSERVERS.has(section.type))
      findings.noteAll(section, `${section.type} only shows what passes; the metrics count it here`);
    else if (section.type !== 'grep') findings.warnAll(section, `the filter ${section.type} has no counterpart here`);
    return undefined;
  }
}
