import { Span } from './span.ts';
import type { Room } from './target-files.ts';

/** What has one tag, and the sinks that would get it. */
export class TagCount extends Span {
  readonly tag: string;
  readonly sinks: readonly string[];

  constructor(tag: string, sinks: readonly string[]) {
    super();
    this.tag = tag;
    this.sinks = sinks;
  }
}

/** The tags that are met first, counted one by one as long as there is room, and all others together. */
export class Tags {
  readonly tags = new Map<string, TagCount>();
  readonly others = new Span();
  /** What no sink would get. */
  readonly unrouted = new Span();
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
  }

  /**
   * Counts one line; undefined when its tag is one of the others.
   *
   * @param sinks those that would get it
   * @param isMatched whether a sink matches the tag: one that does may leave out what is no event
   */
  add(
    tag: string,
    sinks: readonly { readonly config: { readonly name: string } }[],
    time: number | undefined,
    bytes: number,
    isMatched = sinks.length > 0,
  ): TagCount | undefined {
    let count = this.tags.get(tag);
    if (count === undefined && this.#room.left > 0) {
      this.#room.left -= 1;
      count = new TagCount(
        tag,
        sinks.map((sink) => sink.config.name),
      );
      this.tags.set(tag, count);
    }
    (count ?? this.others).add(bytes, time);
    if (!isMatched) this.unrouted.add(bytes, time);
    return count;
  }
}
