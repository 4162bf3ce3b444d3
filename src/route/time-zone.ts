import { AuditailError } from '../errors.ts';
import { BoundedMap } from './bounded-map.ts';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

/** Years whose transitions are remembered. */
const CACHED_YEARS = 64;

/** A stretch of time with one offset from UTC. All in milliseconds; `from` is in it, `to` is not. */
export interface ZoneSpan {
  readonly from: number;
  readonly to: number;
  /** Local time minus UTC. */
  readonly offset: number;
}

/**
 * The offsets of an IANA time zone, as `Intl.DateTimeFormat` knows them. A year's transitions are found once, by looking
 * at each day and then halving; no zone has ever moved its clocks there and back within a day.
 */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #years = new BoundedMap<number, readonly ZoneSpan[]>(CACHED_YEARS);

  /** Throws `TIMEZONE` for a name that the runtime does not know. */
  constructor(name: string) {
    try {
      const format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
      this.#format = format.resolvedOptions().timeZone === 'UTC' ? undefined : format;
    } catch (cause) {
      throw new AuditailError('TIMEZONE', `'${name}' is not a known time zone`, {
        cause,
        hint: "Use a name of the IANA database, such as 'UTC' or 'Europe/Vienna'",
      });
    }
  }

  /** The span that holds `timeMs`. It ends at a transition or at the end of a UTC year, whichever comes first. */
  spanAt(timeMs: number): ZoneSpan {
    if (this.#format === undefined) return UTC;
    const year = new Date(timeMs).getUTCFullYear();
    let spans = this.#years.get(year);
    if (spans === undefined) {
      spans = this.#spansOf(year);
      this.#years.set(year, spans);
    }
    return spans.find((span) => timeMs < span.to)!;
  }

  #spansOf(year: number): ZoneSpan[] {
    const spans: ZoneSpan[] = [];
    const end = startOfUtcYear(year + 1);
    let from = startOfUtcYear(year);
    let offset = this.#offsetAt(from);
    for (let day = from; day < end; ) {
      const next = Math.min(day + DAY, end);
      if (this.#offsetAt(next - SECOND) === offset) {
        day = next;
        continue;
      }
      let before = Math.max(day, from);
      let after = next - SECOND;
      while (after - before > SECOND) {
        const middle = before + Math.floor((after - before) / (2 * SECOND)) * SECOND;
        if (this.#offsetAt(middle) === offset) before = middle;
        else after = middle;
      }
      spans.push({ from, to: after, offset });
      from = after;
      offset = this.#offsetAt(after);
    }
    spans.push({ from, to: end, offset });
    return spans;
  }

  /** `timeMs` is a whole second. */
  #offsetAt(timeMs: number): number {
    const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format!.formatToParts(timeMs)) {
      if (type in fields) fields[type as keyof typeof fields] = Number(value);
    }
    const local = new Date(0);
    local.setUTCFullYear(fields.year, fields.month - 1, fields.day);
    local.setUTCHours(fields.hour, fields.minute, fields.second);
    return local.getTime() - timeMs;
  }
}

const UTC: ZoneSpan = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, offset: 0 };

/** `Date.UTC` would take the years 0 to 99 for 1900 to 1999. */
function startOfUtcYear(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1);
}
