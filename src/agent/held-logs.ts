import { isSameConfig } from '../config/same-config.ts';
import type { SourceConfig } from '../config/types.ts';
import type { Segment } from '../source/segment.ts';

interface Held {
  readonly source: SourceConfig;
  readonly segments: readonly Segment[];
}

/**
 * What the sources of an agent that ended still had open. The next agent goes on with it: a part that was deleted
 * meanwhile can be read nowhere else.
 */
export class HeldLogs {
  readonly #held = new Map<string, Held>();

  /** In place of what was held of the source before. */
  hold(source: SourceConfig, segments: readonly Segment[]): void {
    this.#held.set(source.name, { source, segments });
  }

  /** What the source may go on with: where it looks for its logs elsewhere than before, only what it would find nowhere. */
  of(source: SourceConfig): readonly Segment[] {
    const held = this.#held.get(source.name);
    return held?.segments.filter((segment) => goesOn(segment, held.source, source)) ?? [];
  }

  /** Closes what none of these sources goes on with; gives the names of those that are no more. */
  async letGo(sources: readonly SourceConfig[]): Promise<string[]> {
    const gone: string[] = [];
    for (const [name, { source, segments }] of this.#held) {
      const successor = sources.find((one) => one.name === name);
      if (successor === undefined) gone.push(name);
      this.#held.delete(name);
      for (const segment of segments) {
        if (successor === undefined || !goesOn(segment, source, successor)) await segment.file?.close();
      }
    }
    return gone;
  }
}

/** One that has no name any more is found by no path: nobody else could read its rest. */
function goesOn({ links }: Segment, before: SourceConfig, after: SourceConfig): boolean {
  return links === 0 || isSamePlace(before, after);
}

function isSamePlace(one: SourceConfig, other: SourceConfig): boolean {
  return one.path === other.path && isSameConfig(one.exclude, other.exclude);
}
