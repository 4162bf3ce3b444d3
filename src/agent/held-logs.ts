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

  /** What the source may go on with: nothing, where it looks for its logs elsewhere than before. */
  of(source: SourceConfig): readonly Segment[] {
    const held = this.#held.get(source.name);
    return held !== undefined && isSamePlace(held.source, source) ? held.segments : [];
  }

  /** Closes what none of these sources goes on with; gives the names of those that are no more. */
  async letGo(sources: readonly SourceConfig[]): Promise<string[]> {
    const gone: string[] = [];
    for (const [name, { source, segments }] of this.#held) {
      const successor = sources.find((one) => one.name === name);
      if (successor === undefined) gone.push(name);
      else if (isSamePlace(source, successor)) continue;
      this.#held.delete(name);
      for (const { file } of segments) await file?.close();
    }
    return gone;
  }
}

function isSamePlace(one: SourceConfig, other: SourceConfig): boolean {
  return one.path === other.path && isSameConfig(one.exclude, other.exclude);
}
