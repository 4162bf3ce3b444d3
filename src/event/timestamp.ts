const DIGIT_0 = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const POINT = 0x2e;
const LOWER_T = 0x74;
const LOWER_Z = 0x7a;
/** Set in an ASCII letter, it makes the letter lower case. */
const CASE_BIT = 0x20;

/** Bytes of `2026-11-20T15:04:05`. */
const SECONDS_LENGTH = 19;
const MAX_FRACTION_DIGITS = 9;
const DAYS_OF_MONTH = Uint8Array.of(31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);
const DAYS_PER_ERA = 146_097;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAY = 719_468;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The time in [start, end) of `buf` in milliseconds since 1970 (UTC), cut to whole milliseconds, or undefined when the
 * bytes are no RFC 3339 time.
 *
 * The form is that of RFC 3339 section 5.6: date, `T`, time, up to nine digits of a fraction, and `Z` or a numeric
 * offset; the letters may be lower case. The day must exist in the calendar. A leap second (`:60`, with any fraction)
 * counts as the last millisecond of its minute.
 */
export function parseTimestamp(buf: Buffer, start: number, end: number): number | undefined {
  if (end - start <= SECONDS_LENGTH) return undefined;
  const year = twoDigits(buf, start) * 100 + twoDigits(buf, start + 2);
  const month = twoDigits(buf, start + 5);
  const day = twoDigits(buf, start + 8);
  const hour = twoDigits(buf, start + 11);
  const minute = twoDigits(buf, start + 14);
  const second = twoDigits(buf, start + 17);
  if (buf[start + 4] !== MINUS || buf[start + 7] !== MINUS || (buf[start + 10]! | CASE_BIT) !== LOWER_T)
    return undefined;
  if (buf[start + 13] !== COLON || buf[start + 16] !== COLON) return undefined;
  // NaN, which stands for no digits, fails every comparison.
  if (!(year >= 0 && day >= 1 && day <= daysOfMonth(year, month))) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return undefined;

  let at = start + SECONDS_LENGTH;
  let millisecond = 0;
  if (buf[at] === POINT) {
    const first = at + 1;
    let weight = 100;
    for (at = first; at < end; at += 1) {
      const digit = buf[at]! - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      millisecond += digit * weight;
      // 0 from the fourth digit on: cut off, not rounded, so that no time moves into the next hour.
      weight = Math.trunc(weight / 10);
    }
    if (at === first || at - first > MAX_FRACTION_DIGITS) return undefined;
  }
  const offset = offsetMinutes(buf, at, end);
  if (offset === undefined) return undefined;
  const inMinute = second === 60 ? MINUTE_MS - 1 : second * 1000 + millisecond;
  return daysSinceEpoch(year, month, day) * DAY_MS + (hour * 60 + minute - offset) * MINUTE_MS + inMinute;
}

/** The number that two digits make, or NaN. */
function twoDigits(buf: Buffer, at: number): number {
  const tens = buf[at]! - DIGIT_0;
  const ones = buf[at + 1]! - DIGIT_0;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Days in the month; NaN when there is no such month. */
function daysOfMonth(year: number, month: number): number {
  if (month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) return 29;
  return DAYS_OF_MONTH[month - 1] ?? Number.NaN;
}

/** Minutes that local time is ahead of UTC, for `Z` or `±hh:mm` as all of [at, end). */
function offsetMinutes(buf: Buffer, at: number, end: number): number | undefined {
  if (end - at === 1) return (buf[at]! | CASE_BIT) === LOWER_Z ? 0 : undefined;
  if (end - at !== 6 || buf[at + 3] !== COLON) return undefined;
  const sign = buf[at];
  if (sign !== PLUS && sign !== MINUS) return undefined;
  const hours = twoDigits(buf, at + 1);
  const minutes = twoDigits(buf, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  return sign === PLUS ? hours * 60 + minutes : -(hours * 60 + minutes);
}

/**
 * Days from 1970-01-01 to a date of the Gregorian calendar: `days_from_civil` of
 * https://howardhinnant.github.io/date_algorithms.html, where a year begins in March, so that a leap day is its last.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_DAY;
}
