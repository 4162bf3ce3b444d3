import path from 'node:path';
import { BoundedMap } from './bounded-map.ts';
import { fitName, splitExtensions } from './file-name.ts';
import { pathGlob } from './path-glob.ts';
import { expandForPath, leadingText, type PathPiece, parsePathTemplate } from './path-pieces.ts';
import { finestUnit, renderTimeField } from './time-fields.ts';
import { TimeSlots } from './time-slots.ts';

/** Slots remembered with their paths: the present one, those of late events, and those of a catch-up. */
const CACHED_SLOTS = 4;

/** Paths remembered in a slot: the default of max_tags, and some. */
const CACHED_PATHS = 5000;

interface CachedSlot {
  readonly start: number;
  readonly end: number;
  /** Local time of the start in ms, as if it were UTC. */
  readonly local: number;
  readonly paths: BoundedMap<string, string>;
}

/** Without time fields there is one slot for ever. */
const WITHOUT_TIME = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, local: 0 };

/**
 * Compiles a path such as `/var/log/auditail/audit-${tag[1..]}.%Y%m%d%H.log.gz`. `timezone` is an IANA name. Time fields
 * are %Y %m %d %H %M %S %j %y. Throws `TEMPLATE` or `TIMEZONE`.
 */
export function compilePathTemplate(template: string, timezone: string): PathTemplate {
  return new PathTemplate(template, timezone);
}

/** Where the events of a tag and a time go. */
export class PathTemplate {
  /** The longest directory that all paths share. */
  readonly directory: string;
  /** The tag forms of the template, such as `${tag[1..]}`. */
  readonly tagForms: readonly string[];
  /** A pattern for `path.matchesGlob` that takes every path and every numbered sibling. */
  readonly glob: string;
  readonly #names: readonly (readonly PathPiece[])[];
  readonly #slots: TimeSlots | undefined;
  readonly #cache: CachedSlot[] = [];
  #oldest = 0;
  #current: CachedSlot | undefined;

  constructor(template: string, timezone: string) {
    this.#names = parsePathTemplate(template);
    const pieces = this.#names.flat();
    this.tagForms = pieces.flatMap((piece) => (piece.kind === 'tag' ? [piece.form] : []));
    this.glob = pathGlob(this.#names);
    const directories = this.#names.slice(0, -1);
    const changing = directories.findIndex((name) => name.some((piece) => piece.kind !== 'text'));
    const fixed = directories.slice(0, changing < 0 ? directories.length : changing);
    this.directory = `/${fixed.map(leadingText).join('/')}`;
    const unit = finestUnit(pieces.flatMap((piece) => (piece.kind === 'time' ? [piece.field] : [])));
    // An unknown zone is an error even where no field needs it.
    const slots = new TimeSlots(unit ?? 'hour', timezone);
    this.#slots = unit === undefined ? undefined : slots;
  }

  /** Whether different tags can have different paths. */
  get hasTag(): boolean {
    return this.tagForms.length > 0;
  }

  /** The path for a tag at a time, the same for all times of a slot. It never leaves {@link directory}. */
  render(tag: string, timeMs: number): string {
    const slot = this.#slotAt(timeMs);
    let rendered = slot.paths.get(tag);
    if (rendered === undefined) {
      rendered = this.#render(tag, slot.local);
      slot.paths.set(tag, rendered);
    }
    return rendered;
  }

  /** Start of the slot of the template's finest time field that holds the time, in epoch ms; 0 without time fields. */
  slot(timeMs: number): number {
    return this.#slots === undefined ? 0 : this.#slotAt(timeMs).start;
  }

  /** First instant after a slot, in epoch ms; Infinity without time fields. */
  slotEnd(slot: number): number {
    // Not through the cache: asking for old slots must not push out the ones that are written to.
    return (this.#slots?.at(slot) ?? WITHOUT_TIME).end;
  }

  #slotAt(timeMs: number): CachedSlot {
    const current = this.#current;
    if (current !== undefined && timeMs >= current.start && timeMs < current.end) return current;
    const slot = this.#cache.find(({ start, end }) => timeMs >= start && timeMs < end) ?? this.#find(timeMs);
    this.#current = slot;
    return slot;
  }

  #find(timeMs: number): CachedSlot {
    const slot = { ...(this.#slots?.at(timeMs) ?? WITHOUT_TIME), paths: new BoundedMap<string, string>(CACHED_PATHS) };
    this.#cache[this.#oldest] = slot;
    this.#oldest = (this.#oldest + 1) % CACHED_SLOTS;
    return slot;
  }

  #render(tag: string, local: number): string {
    let result = '';
    for (const [index, pieces] of this.#names.entries()) {
      let name = '';
      for (const piece of pieces) {
        if (piece.kind === 'text') name += piece.text;
        else if (piece.kind === 'time') name += renderTimeField(piece.field, local);
        else name += expandForPath(piece, tag);
      }
      const { stem, extensions } =
        index < this.#names.length - 1 ? { stem: name, extensions: '' } : splitExtensions(name);
      result += `/${fitName(stem, extensions)}`;
    }
    return result;
  }
}

/** The `n`th file of a path that is taken: `/x/a.log.gz` becomes `/x/a.1.log.gz`. The name keeps within 255 bytes. */
export function numberedSibling(file: string, n: number): string {
  const { stem, extensions } = splitExtensions(path.basename(file));
  return path.join(path.dirname(file), fitName(stem, `.${n}${extensions}`));
}
