import { hashLine } from '../test/helpers/line-multiset.ts';

/** What a line is, which decides where it has to be archived. `fragment`: what a writer that died left of a line. */
export type LineKind = 'event' | 'garbage' | 'long' | 'fragment';

/** What happened to a place of a line: the nemesis did it, and when. `hidden`: moved to where the agent does not look. */
export interface Loss {
  readonly how: 'truncated' | 'cut' | 'deleted' | 'hidden';
  readonly atMs: number;
  /** What the agent had said of the file by then: see {@link Part.seenSize}. */
  readonly seenSize: number;
}

export interface Place {
  readonly part: Part;
  /** Of the physical line, in uncompressed bytes; `end` is behind its newline, where it has one. */
  readonly start: number;
  readonly end: number;
  loss: Loss | undefined;
}

export interface Line {
  /** Ascending in the order of writing. */
  readonly id: number;
  readonly hash: string;
  readonly kind: LineKind;
  /** The tag's last part: a namespace, or a name that begins with `_`. */
  readonly tag: string;
  /** `stageTimestamp`, where it has one. */
  readonly timeMs: number | undefined;
  readonly writtenAtMs: number;
  /** Everywhere that it ever stood. The first one is where it was written. */
  readonly places: Place[];
}

/** One physical file, from its creation, or from when it was emptied, to its end. */
export class Part {
  readonly id: number;
  readonly key: string;
  /** Every path that it ever had. */
  readonly paths = new Set<string>();
  readonly places: Place[] = [];
  /** Event times in it: a gap that is told of it names one of them. */
  readonly times = new Set<number>();
  firstTime: number | undefined;
  /** Its first line is no event: seen before there was one, it has no time but that of its last change. */
  beginsUntimed = false;
  /** Of the file, as it was written. */
  size = 0;
  loss: Loss | undefined;
  /** The furthest that the agent said it saw of it, and in which of its lives. */
  seenSize = 0;
  seenInLife: number | undefined;
  /** The last life that had the file itself open, and not only a gzip that was made of it while it still grew. */
  heldInLife: number | undefined;

  constructor(id: number, key: string) {
    this.id = id;
    this.key = key;
  }
}

export interface NewLine {
  /** Without newline. */
  readonly bytes: Buffer;
  readonly kind: LineKind;
  readonly tag: string;
  readonly timeMs: number | undefined;
}

/** Everything that was ever written, and where it stood: known to the writer, never asked of the agent. */
export class LogModel {
  readonly lines: Line[] = [];
  readonly parts: Part[] = [];
  readonly byHash = new Map<string, Line>();
  /** What stands in rotated parts beside which a gzip was left unfinished: that may be all that is left, up to within a line. */
  readonly halfGzipped: Buffer[] = [];
  readonly #now: () => number;
  /** The lines that come out of a physical line: two where a fragment stands before an event. */
  readonly #physical = new Map<string, readonly Line[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  newPart(key: string, path: string): Part {
    const part = new Part(this.parts.length, key);
    part.paths.add(path);
    this.parts.push(part);
    return part;
  }

  /** Lines written as one physical line. @throws Error for a line that was written before: it could not be told apart. */
  add(part: Part, start: number, end: number, physical: Buffer, lines: readonly NewLine[]): void {
    const made = lines.map(({ bytes, kind, tag, timeMs }) => {
      const hash = hashLine(bytes).toString('hex');
      if (this.byHash.has(hash)) throw new Error(`written before: ${bytes.toString('utf8', 0, 200)}`);
      const line: Line = { id: this.lines.length, hash, kind, tag, timeMs, writtenAtMs: this.#now(), places: [] };
      this.lines.push(line);
      this.byHash.set(hash, line);
      return line;
    });
    this.#physical.set(hashLine(physical).toString('hex'), made);
    for (const line of made) place(line, part, start, end);
  }

  /** What stands in a file that somebody else made: a copy, or a gzipped part. */
  addCopy(part: Part, content: Buffer): void {
    for (const { bytes, start, end } of physicalLines(content)) {
      const lines = this.#physical.get(hashLine(bytes).toString('hex')) ?? [];
      for (const line of lines) place(line, part, start, end);
    }
  }

  /** The lines that a content holds, whole. */
  linesIn(content: Buffer): Line[] {
    return physicalLines(content).flatMap(({ bytes }) => this.#physical.get(hashLine(bytes).toString('hex')) ?? []);
  }

  lose(part: Part, how: Loss['how'], from = 0): void {
    const loss = { how, atMs: this.#now(), seenSize: part.seenSize };
    if (from === 0) part.loss ??= loss;
    for (const one of part.places) if (one.end > from) one.loss ??= loss;
    // What stands there later is something else.
    if (how === 'cut') part.seenSize = Math.min(part.seenSize, from);
  }
}

function place(line: Line, part: Part, start: number, end: number): void {
  const one = { part, start, end, loss: part.loss };
  line.places.push(one);
  part.places.push(one);
  if (part.places.length === 1) part.beginsUntimed = line.timeMs === undefined;
  if (line.timeMs === undefined) return;
  part.times.add(line.timeMs);
  part.firstTime ??= line.timeMs;
}

/** Physical lines without leading NULs, which a hole left; the last one may have no newline. */
function physicalLines(content: Buffer): { bytes: Buffer; start: number; end: number }[] {
  const lines: { bytes: Buffer; start: number; end: number }[] = [];
  for (let at = 0; at < content.length; ) {
    while (content[at] === 0) at++;
    const newline = content.indexOf(10, at);
    const end = newline === -1 ? content.length : newline + 1;
    const bytes = content.subarray(at, newline === -1 ? end : newline);
    if (bytes.length > 0) lines.push({ bytes, start: at, end });
    at = end;
  }
  return lines;
}
