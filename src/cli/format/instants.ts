import { TimeZone } from '../../route/time-zone.ts';

const MINUTE_MS = 60_000;

/** Writes instants in one time zone, to the second: `2026-01-15 09:00:00Z`, `2026-01-15 10:00:00+01:00`. */
export class Instants {
  readonly #zone: TimeZone;

  /** Throws `TIMEZONE`. */
  constructor(timezone = 'UTC') {
    this.#zone = new TimeZone(timezone);
  }

  format(timeMs: number): string {
    const { offset } = this.#zone.spanAt(timeMs);
    const local = new Date(timeMs + offset).toISOString().slice(0, 19).replace('T', ' ');
    return `${local}${offset === 0 ? 'Z' : formatOffset(offset)}`;
  }

  /** The instant without its date where that is the date of `start`. */
  formatEnd(start: number, timeMs: number): string {
    const [startDate] = this.format(start).split(' ');
    const text = this.format(timeMs);
    const [date, time] = text.split(' ');
    return date === startDate ? time! : text;
  }
}

function formatOffset(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / MINUTE_MS);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
