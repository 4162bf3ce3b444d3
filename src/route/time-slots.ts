import { TimeZone, type ZoneSpan } from './time-zone.ts';

/** From coarse to fine. */
export const TIME_UNITS = ['year', 'month', 'day', 'hour', 'minute', 'second'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

const FIXED: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** RFC 3339 has the years 1 to 9999; a few days less keep the year at four digits in every zone. */
const MIN_TIME = Date.parse('0001-01-03T00:00:00Z');
const MAX_TIME = Date.parse('9999-12-29T00:00:00Z');

/** One slot: its first instant, the first one after it, and its start as local time, all in ms (local as if it were UTC). */
export interface TimeSlot {
  readonly start: number;
  readonly end: number;
  readonly local: number;
}

/**
 * Divides time into slots of one calendar unit in one zone. A slot is the whole uninterrupted stretch of time that has
 * the same local year, month, … down to the unit: when clocks go back within an hour that hour is one slot of two hours,
 * because it has one name.
 */
export class TimeSlots {
  readonly #unit: TimeUnit;
  readonly #zone: TimeZone;

  /** Throws `TIMEZONE`. */
  constructor(unit: TimeUnit, timezone: string) {
    this.#unit = unit;
    this.#zone = new TimeZone(timezone);
  }

  /** The slot of a time in epoch ms. Times outside of the years 1 to 9999 are taken for the nearest, NaN for the first. */
  at(timeMs: number): TimeSlot {
    const time = timeMs >= MIN_TIME ? Math.min(timeMs, MAX_TIME) : MIN_TIME;
    const span = this.#zone.spanAt(time);
    const local = startOfUnit(time + span.offset, this.#unit);
    return { start: this.#start(local, span), end: this.#end(local, span), local };
  }

  #start(local: number, span: ZoneSpan): number {
    while (local - span.offset <= span.from) {
      const before = this.#zone.spanAt(span.from - 1);
      if (startOfUnit(span.from - 1 + before.offset, this.#unit) !== local) return span.from;
      span = before;
    }
    return local - span.offset;
  }

  #end(local: number, span: ZoneSpan): number {
    const next = startOfNextUnit(local, this.#unit);
    while (next - span.offset >= span.to) {
      const after = this.#zone.spanAt(span.to);
      if (startOfUnit(span.to + after.offset, this.#unit) !== local) return span.to;
      span = after;
    }
    return next - span.offset;
  }
}

function startOfUnit(local: number, unit: TimeUnit): number {
  const size = FIXED[unit];
  if (size !== undefined) return Math.floor(local / size) * size;
  const date = new Date(local);
  return new Date(0).setUTCFullYear(date.getUTCFullYear(), unit === 'month' ? date.getUTCMonth() : 0, 1);
}

function startOfNextUnit(local: number, unit: TimeUnit): number {
  const size = FIXED[unit];
  if (size !== undefined) return local + size;
  const date = new Date(local);
  const months = unit === 'month' ? 1 : 12;
  return new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
}
