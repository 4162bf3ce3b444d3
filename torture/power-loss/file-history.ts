import type { Random } from '../../bench/random.ts';

/** A crash writes a sector whole or not at all. */
export const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;

/** How much of the changes that were not synced is on the disk. */
export type Survival = 'nothing' | 'everything' | 'some';

/** What was done to a file's content: bytes that were written, or, without them, a new length. */
interface Change {
  readonly sequence: number;
  readonly offset: number;
  readonly data: Buffer | undefined;
}

/**
 * The content of one file: what of it is durable, and what was done since.
 *
 * A sector is on the disk as it was after one of the changes, whatever the sectors beside it are; so the length.
 */
export class FileHistory {
  /** Its length changed, or it was made, since its metadata were last written. */
  isMetadataDirty = true;
  /** With room behind it, so that a growing file is not copied with each sync. */
  #storage: Buffer;
  #durable: Buffer;
  #pending: Change[] = [];

  constructor(durable: Buffer = Buffer.alloc(0)) {
    this.#storage = Buffer.from(durable);
    this.#durable = this.#storage;
  }

  write(sequence: number, offset: number, data: Buffer): void {
    if (offset + data.length > this.#length()) this.isMetadataDirty = true;
    this.#pending.push({ sequence, offset, data });
  }

  truncate(sequence: number, length: number): void {
    this.isMetadataDirty = true;
    this.#pending.push({ sequence, offset: length, data: undefined });
  }

  /** A sync that covers everything before `sequence` has ended. */
  settle(sequence: number): void {
    const covered = this.#pending.filter((change) => change.sequence < sequence);
    for (const change of covered) this.#apply(change);
    this.#pending = this.#pending.slice(covered.length);
    this.isMetadataDirty = this.#pending.length > 0;
  }

  /** As a program sees it. */
  content(): Buffer {
    return contentAfter(this.#durable, this.#pending);
  }

  /** As it may be after a crash. */
  afterCrash(random: Random, survival: Survival): Buffer {
    const { length } = this.#pending;
    if (survival === 'nothing' || length === 0) return Buffer.from(this.#durable);
    if (survival === 'everything') return this.content();
    const reached = random.below(length + 1);
    switch (random.pick(['nothing', 'everything', 'in order', 'in order', 'pages', 'sectors', 'sectors'] as const)) {
      case 'nothing':
        return Buffer.from(this.#durable);
      case 'everything':
        return this.content();
      case 'in order':
        return contentAfter(this.#durable, this.#pending.slice(0, reached));
      case 'pages':
        return this.#outOfOrder(random, reached, PAGE_BYTES);
      case 'sectors':
        return this.#outOfOrder(random, reached, SECTOR_BYTES);
    }
  }

  /** The length after `reached` changes; each piece as it was after any number of them, and NULs where none was written. */
  #outOfOrder(random: Random, reached: number, pieceBytes: number): Buffer {
    const lengths = [this.#durable.length];
    for (const change of this.#pending) lengths.push(lengthAfter(lengths.at(-1)!, change));
    const result = Buffer.alloc(lengths[reached]!);
    this.#durable.copy(result);
    for (let start = 0; start < result.length; start += pieceBytes) {
      const end = Math.min(start + pieceBytes, result.length);
      const touching = this.#pending.filter((change) => touches(change, start, end));
      for (const change of touching.slice(0, random.below(touching.length + 1)))
        applyWithin(result, change, start, end);
    }
    return result;
  }

  #apply(change: Change): void {
    const length = lengthAfter(this.#durable.length, change);
    if (length > this.#storage.length) {
      this.#storage = Buffer.alloc(length * 2);
      this.#durable.copy(this.#storage);
    }
    applyWithin(this.#storage, change, 0, this.#storage.length);
    this.#durable = this.#storage.subarray(0, length);
  }

  #length(): number {
    return this.#pending.reduce(lengthAfter, this.#durable.length);
  }
}

function lengthAfter(length: number, { offset, data }: Change): number {
  return data === undefined ? offset : Math.max(length, offset + data.length);
}

function contentAfter(before: Buffer, changes: readonly Change[]): Buffer {
  let length = before.length;
  let most = length;
  for (const change of changes) {
    length = lengthAfter(length, change);
    most = Math.max(most, length);
  }
  const content = Buffer.alloc(most);
  before.copy(content);
  for (const change of changes) applyWithin(content, change, 0, most);
  return content.subarray(0, length);
}

function touches({ offset, data }: Change, start: number, end: number): boolean {
  return offset < end && (data === undefined || offset + data.length > start);
}

/** Does to the bytes between two places what the change does to them: those behind a new length are NULs. */
function applyWithin(content: Buffer, { offset, data }: Change, start: number, end: number): void {
  const from = Math.max(offset, start);
  if (data === undefined) {
    if (from < end) content.fill(0, from, end);
    return;
  }
  const to = Math.min(offset + data.length, end);
  if (from < to) data.copy(content, from, from - offset, to - offset);
}
