import type { FileSinkConfig } from '../../config/types.ts';
import { compilePathTemplate, type PathTemplate } from '../../route/path-template.ts';
import { overflowTag } from '../../route/reserved-tags.ts';
import { Span } from './span.ts';

/** Time slots whose tags are told apart; events come mostly in order, so that an older one hardly comes back. */
const MAX_SLOTS = 1024;

/** Tags whose file is remembered in a slot. */
const MAX_CACHED_TAGS = 16_384;

/** One file that a sink would write. */
export class TargetFile extends Span {
  readonly path: string;

  constructor(path: string) {
    super();
    this.path = path;
  }
}

/** How many more names may be remembered, over all that share it. */
export interface Room {
  left: number;
}

interface Slot {
  readonly start: number;
  readonly end: number;
  /** Paths of tags that have a file of their own. */
  readonly paths: Set<string>;
  /** A cache. */
  readonly files: Map<string, TargetFile>;
}

/**
 * The files that a sink would write, with the archive's rules: a time slot has at most `max_tags` files, and further tags
 * share its overflow file. The files that are met first are counted one by one, as long as there is room; all others
 * together, because names come from attackers.
 */
export class TargetFiles {
  readonly config: FileSinkConfig;
  /** Its place among the sinks of the configuration. */
  readonly index: number;
  readonly directory: string;
  readonly files = new Map<string, TargetFile>();
  /** What would go to files that are not among {@link files}. */
  readonly others = new Span();
  /** What goes to overflow files. */
  readonly overflow = new Span();
  readonly #template: PathTemplate;
  readonly #room: Room;
  readonly #now: () => number;
  readonly #slots = new Map<number, Slot>();
  #slot: Slot | undefined;

  constructor(config: FileSinkConfig, index: number, options: { room: Room; now: () => number }) {
    this.config = config;
    this.index = index;
    this.#template = compilePathTemplate(config.path, config.timezone);
    this.directory = this.#template.directory;
    this.#room = options.room;
    this.#now = options.now;
  }

  /**
   * Counts one line; gives the path that it would go to.
   *
   * @param time the line's own, undefined when it goes by its arrival
   */
  add(tag: string, time: number | undefined, bytes: number): string {
    const filed = time ?? this.#now();
    const slot = this.#slotAt(filed);
    const known = slot?.files.get(tag);
    if (known !== undefined) {
      known.add(bytes, time);
      return known.path;
    }
    return this.#addTo(slot, tag, filed, time, bytes);
  }

  #addTo(slot: Slot | undefined, tag: string, filed: number, time: number | undefined, bytes: number): string {
    let path = this.#template.render(tag, filed);
    const overflows = slot !== undefined && !slot.paths.has(path) && slot.paths.size >= this.config.maxTags;
    if (overflows) {
      path = this.#template.render(overflowTag(tag), filed);
      this.overflow.add(bytes, time);
    }
    const file = this.files.get(path) ?? this.#remember(path);
    (file ?? this.others).add(bytes, time);
    if (file === undefined || slot === undefined || overflows) return path;
    slot.paths.add(path);
    if (slot.files.size >= MAX_CACHED_TAGS) slot.files.clear();
    slot.files.set(tag, file);
    return path;
  }

  #remember(path: string): TargetFile | undefined {
    if (this.#room.left === 0) return undefined;
    this.#room.left -= 1;
    const file = new TargetFile(path);
    this.files.set(path, file);
    return file;
  }

  /** Undefined: a slot that is new when there is no room for a file in it. */
  #slotAt(time: number): Slot | undefined {
    if (this.#slot !== undefined && time >= this.#slot.start && time < this.#slot.end) return this.#slot;
    const start = this.#template.slot(time);
    let slot = this.#slots.get(start);
    if (slot === undefined) {
      if (this.#room.left === 0) return undefined;
      if (this.#slots.size >= MAX_SLOTS) this.#slots.delete(this.#slots.keys().next().value!);
      slot = { start, end: this.#template.slotEnd(start), paths: new Set(), files: new Map() };
      this.#slots.set(start, slot);
    }
    this.#slot = slot;
    return slot;
  }
}
