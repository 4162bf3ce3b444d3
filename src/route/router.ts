import { BoundedMap } from './bounded-map.ts';
import { compileTagPattern } from './tag-pattern.ts';

/** Tags whose sinks are remembered. */
const CACHED_TAGS = 8192;

/** Finds the sinks of a tag: every one whose pattern matches, in the order of the configuration. */
export class Router<S> {
  readonly #sinks: readonly { matches: (tag: string) => boolean; sink: S }[];
  readonly #cache = new BoundedMap<string, readonly S[]>(CACHED_TAGS);

  /** Throws `TAG_PATTERN` for a `match` that is none. */
  constructor(sinks: readonly { match: string; sink: S }[]) {
    this.#sinks = sinks.map(({ match, sink }) => ({ matches: compileTagPattern(match), sink }));
  }

  /** The same frozen list for the same tag, as long as it is remembered; empty when no sink wants it. */
  sinksFor(tag: string): readonly S[] {
    const known = this.#cache.get(tag);
    if (known !== undefined) return known;
    const found = Object.freeze(this.#sinks.filter(({ matches }) => matches(tag)).map(({ sink }) => sink));
    this.#cache.set(tag, found);
    return found;
  }
}
