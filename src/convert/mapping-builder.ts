import type { YamlEntry, YamlMapping, YamlValue } from '../config/render-yaml.ts';
import type { Place } from './section.ts';

interface Node {
  readonly value: YamlValue | Map<string, Node>;
  readonly place: Place | undefined;
}

/** Collects the keys of one mapping, in the order in which they are set, with where each comes from. */
export class MappingBuilder {
  readonly #nodes = new Map<string, Node>();

  /** `key` may name a nested key by dots (`batch.age`), or be a list of names where one has dots. */
  set(key: string | readonly string[], value: YamlValue, place?: Place): this {
    const names = typeof key === 'string' ? key.split('.') : key;
    let nodes = this.#nodes;
    for (const name of names.slice(0, -1)) {
      const child = nodes.get(name)?.value;
      if (child instanceof Map) nodes = child;
      else {
        const created = new Map<string, Node>();
        nodes.set(name, { value: created, place: undefined });
        nodes = created;
      }
    }
    nodes.set(names.at(-1)!, { value, place });
    return this;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): YamlValue | undefined {
    const [first, ...rest] = key.split('.');
    let node = this.#nodes.get(first!);
    for (const name of rest) node = node?.value instanceof Map ? node.value.get(name) : undefined;
    return node === undefined || node.value instanceof Map ? undefined : node.value;
  }

  remove(key: string): void {
    this.#nodes.delete(key);
  }

  /** The same with a name in front. */
  named(name: string): MappingBuilder {
    const named = new MappingBuilder().set('name', name);
    for (const [key, node] of this.#nodes) named.#nodes.set(key, node);
    return named;
  }

  build(): YamlMapping {
    return built(this.#nodes);
  }
}

/** `FILE:LINE`. */
export function origin(place: Place): string {
  return `${place.file}:${place.line}`;
}

function built(nodes: ReadonlyMap<string, Node>): YamlMapping {
  const entries = [...nodes].map(([key, { value, place }]): YamlEntry => {
    const comment = place === undefined ? undefined : origin(place);
    return { key, value: value instanceof Map ? built(value) : value, comment };
  });
  return { entries };
}
