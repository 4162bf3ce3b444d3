import { createHash } from 'node:crypto';
import { AuditailError } from '../errors.ts';
import { BoundedMap } from './bounded-map.ts';
import { expandForPath } from './path-pieces.ts';
import { parseTagTemplate, type TagPiece } from './tag-template.ts';
import { finestUnit, parseTimeFields, renderTimeField, type TimePiece } from './time-fields.ts';
import { type TimeSlot, TimeSlots } from './time-slots.ts';

/** Whose rules a name has to keep. */
export type IndexRules = 'elasticsearch' | 'splunk';

/** In bytes. Elasticsearch's limit (create index API, path parameters), and more than Splunk's names need. */
const MAX_NAME_BYTES = 255;

/** Names remembered for the present time slot. */
const CACHED_NAMES = 5000;

/**
 * What may not stand in a name, in lower case. Elasticsearch: create index API, path parameters (`:` since 7.0, and in
 * no data stream). Splunk: "Create custom indexes", naming rules.
 */
const FORBIDDEN: Readonly<Record<IndexRules, RegExp>> = {
  elasticsearch: /[\\/*?"<>| ,#:\p{Cc}]/gu,
  splunk: /[^a-z0-9_-]/gu,
};

/** What no name may begin with; a dot is for the receiver's own indexes. */
const FORBIDDEN_START = /^[-_+.]/;

/** Stands before a name that would begin with what none may begin with. Stripping would make two names one. */
const START = 'auditail';

/** Without time fields there is one slot for ever. */
const WITHOUT_TIME: TimeSlot = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, local: 0 };

/**
 * The index that events of a tag and a time go to: `audit-${tag[1..]}-%Y.%m.%d`. Time fields are those of paths, in UTC.
 *
 * Whatever the tag holds, the name is legal: lower case, forbidden characters as `_`, at most 255 bytes (a longer one is
 * cut and ends with a part of its hash, so that it stays its own).
 */
export class IndexTemplate {
  /** Whether different tags can have different indexes. */
  readonly hasTag: boolean;
  readonly #pieces: readonly (TimePiece | TagPiece)[];
  readonly #rules: IndexRules;
  readonly #slots: TimeSlots | undefined;
  #slot: TimeSlot = { ...WITHOUT_TIME, end: Number.NEGATIVE_INFINITY };
  #names = new BoundedMap<string, string>(CACHED_NAMES);

  /** @throws AuditailError `TEMPLATE` */
  constructor(template: string, rules: IndexRules) {
    this.#pieces = parseIndexTemplate(template, rules);
    this.#rules = rules;
    this.hasTag = this.#pieces.some((piece) => piece.kind === 'tag');
    const unit = finestUnit(this.#pieces.flatMap((piece) => (piece.kind === 'time' ? [piece.field] : [])));
    this.#slots = unit === undefined ? undefined : new TimeSlots(unit, 'UTC');
  }

  /** @param timeMs milliseconds since the epoch */
  render(tag: string, timeMs: number): string {
    if (!(timeMs >= this.#slot.start && timeMs < this.#slot.end)) {
      this.#slot = this.#slots?.at(timeMs) ?? WITHOUT_TIME;
      this.#names = new BoundedMap(CACHED_NAMES);
    }
    let name = this.#names.get(tag);
    if (name === undefined) {
      name = this.#render(tag, this.#slot.local);
      this.#names.set(tag, name);
    }
    return name;
  }

  #render(tag: string, local: number): string {
    let name = '';
    for (const piece of this.#pieces) {
      if (piece.kind === 'text') name += piece.text;
      else if (piece.kind === 'time') name += renderTimeField(piece.field, local);
      else name += expandForPath(piece, tag);
    }
    name = name.toLowerCase().replaceAll(FORBIDDEN[this.#rules], '_');
    if (this.#rules === 'splunk') name = name.replaceAll('kvstore', 'kv_store');
    return fitName(FORBIDDEN_START.test(name) ? START + name : name);
  }
}

/** @throws AuditailError `TEMPLATE` with the reason, when the template can name no index of the receiver. */
export function checkIndexTemplate(template: string, rules: IndexRules): void {
  parseIndexTemplate(template, rules);
}

function parseIndexTemplate(template: string, rules: IndexRules): (TimePiece | TagPiece)[] {
  const pieces: (TimePiece | TagPiece)[] = [];
  for (const piece of parseTagTemplate(template, { captures: false }).pieces) {
    if (piece.kind === 'tag') pieces.push(piece);
    if (piece.kind === 'text') pieces.push(...parseTimeFields(piece.text, template, piece.at));
  }
  if (pieces.length === 0) throw broken(template, 'it is empty', 'Write a name, such as audit-%Y.%m.%d');
  let fixedBytes = 0;
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'time') fixedBytes += piece.digits;
    if (piece.kind !== 'text') continue;
    fixedBytes += Buffer.byteLength(piece.text);
    if (index === 0 && FORBIDDEN_START.test(piece.text)) {
      throw broken(template, `no index begins with '${piece.text[0]}'`, 'Begin it with a letter');
    }
    const forbidden = piece.text.match(FORBIDDEN[rules])?.[0];
    if (forbidden !== undefined) {
      const hint = rules === 'splunk' ? 'Allowed are a-z 0-9 _ -' : 'Allowed are lower-case letters, digits and . _ -';
      throw broken(template, `${JSON.stringify(forbidden)} cannot stand in the name of an index`, hint);
    }
    if (piece.text !== piece.text.toLowerCase()) {
      throw broken(template, 'names of indexes are in lower case', 'Write it in lower case');
    }
  }
  // A name that the template alone fills would be cut down to the same beginning for all tags.
  if (fixedBytes > MAX_NAME_BYTES / 2) throw broken(template, 'it is too long for the name of an index', 'Shorten it');
  return pieces;
}

function fitName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const mark = `-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
  let room = MAX_NAME_BYTES - mark.length;
  let prefix = '';
  for (const character of name) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    prefix += character;
  }
  return prefix + mark;
}

function broken(template: string, reason: string, hint: string): AuditailError {
  return new AuditailError('TEMPLATE', `template '${template}': ${reason}`, { hint });
}
