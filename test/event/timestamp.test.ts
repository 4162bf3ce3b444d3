import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTimestamp } from '../../src/event/timestamp.ts';

/** Parses text that stands between bytes which would change the result if they were read. */
function parse(text: string): number | undefined {
  const buf = Buffer.from(`0${text}0`, 'latin1');
  return parseTimestamp(buf, 1, buf.length - 1);
}

/** What a strict pattern and Date.UTC make of the text. */
function reference(text: string): number | undefined {
  const form = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
  const match = form.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const millisecond = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  if (second === 60) date.setUTCHours(hour, minute, 59, 999);
  else date.setUTCHours(hour, minute, second, millisecond);
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -1 : 1);
  return date.getTime() - offset * 60_000;
}

test('times that the apiserver and others write', () => {
  const times: [string, number][] = [
    ['2026-11-20T15:04:05.123456Z', Date.UTC(2026, 10, 20, 15, 4, 5, 123)],
    ['2026-11-20T15:04:05Z', Date.UTC(2026, 10, 20, 15, 4, 5)],
    ['2026-11-20T15:04:05.1Z', Date.UTC(2026, 10, 20, 15, 4, 5, 100)],
    ['2026-11-20T15:59:59.999999999Z', Date.UTC(2026, 10, 20, 15, 59, 59, 999)],
    ['2026-11-20t15:04:05z', Date.UTC(2026, 10, 20, 15, 4, 5)],
    ['2026-11-20T15:04:05+02:00', Date.UTC(2026, 10, 20, 13, 4, 5)],
    ['2026-01-01T00:04:05.5+05:45', Date.UTC(2025, 11, 31, 18, 19, 5, 500)],
    ['2026-11-20T23:04:05-23:59', Date.UTC(2026, 10, 21, 23, 3, 5)],
    ['2026-11-20T15:04:05-00:00', Date.UTC(2026, 10, 20, 15, 4, 5)],
    ['2016-12-31T23:59:60Z', Date.UTC(2016, 11, 31, 23, 59, 59, 999)],
    ['2016-12-31T23:59:60.25Z', Date.UTC(2016, 11, 31, 23, 59, 59, 999)],
    ['1970-01-01T00:00:00Z', 0],
    ['1969-12-31T23:59:59.9999Z', -1],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['0000-01-01T00:00:00Z', Date.parse('0000-01-01T00:00:00Z')],
    ['9999-12-31T23:59:59.999Z', Date.parse('9999-12-31T23:59:59.999Z')],
  ];
  for (const [text, expected] of times) assert.equal(parse(text), expected, text);
});

test('anything else is no time', () => {
  const texts = [
    ...['', 'Z', '2026', '2026-11-20', '2026-11-20T15:04Z', '2026-11-20T15:04:05', '2026-11-20T15:04:05.Z'],
    ...['2026-11-20T15:04:05.1234567890Z', '2026-11-20T15:04:05,1Z', '2026-11-20 15:04:05Z', '2026-11-20_15:04:05Z'],
    ...['2026-02-29T00:00:00Z', '1900-02-29T00:00:00Z', '2026-02-30T00:00:00Z', '2026-04-31T00:00:00Z'],
    ...['2026-00-01T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-00T00:00:00Z', '2026-01-32T00:00:00Z'],
    ...['2026-11-20T24:00:00Z', '2026-11-20T15:60:00Z', '2026-11-20T15:04:61Z', '2026-11-20T15:04:05+24:00'],
    ...['2026-11-20T15:04:05+01:60', '2026-11-20T15:04:05+0100', '2026-11-20T15:04:05+01', '2026-11-20T15:04:05 01:00'],
    ...['+2026-11-20T15:04:05Z', '2026-11-20T15:04:05ZZ', ' 2026-11-20T15:04:05Z', '2026-11-20T15:04:05Z '],
    ...[
      '2O26-11-20T15:04:05Z',
      '2026/11/20T15:04:05Z',
      '2026-11-20T15.04.05Z',
      '\xb2026-11-20T15:04:05Z',
      '-026-11-20T15:04:05Z',
    ],
  ];
  for (const text of texts) assert.equal(parse(text), undefined, JSON.stringify(text));
});

test('every day of the years 0 to 9999, and none that is not in the calendar', () => {
  const buf = Buffer.from('0000-00-00T00:00:00Z');
  const date = new Date(0);
  date.setUTCFullYear(0, 0, 1);
  let expected = date.getTime();
  for (let year = 0; year < 10_000; year += 1) {
    buf.write(String(year).padStart(4, '0'));
    for (let month = 0; month < 14; month += 1) {
      buf.write(String(month).padStart(2, '0'), 5);
      date.setUTCFullYear(year, month, 0);
      const days = month >= 1 && month <= 12 ? date.getUTCDate() : 0;
      for (let day = 0; day <= 32; day += 1) {
        buf[8] = 0x30 + Math.floor(day / 10);
        buf[9] = 0x30 + (day % 10);
        const time = parseTimestamp(buf, 0, buf.length);
        if (day >= 1 && day <= days) {
          if (time !== expected) assert.equal(time, expected, buf.toString());
          expected += 86_400_000;
        } else if (time !== undefined) assert.fail(`${buf}: taken as ${time}`);
      }
    }
  }
  assert.equal(expected, Date.parse('+010000-01-01T00:00:00Z'));
});

test('any instant, as Date prints it, is read back', () => {
  const date = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, (time) => {
      assert.equal(parse(time.toISOString()), time.getTime());
      assert.equal(parse(time.toISOString()), Date.parse(time.toISOString()));
    }),
    { numRuns: 5000 },
  );
});

test('forms, right and nearly right, are judged as by a strict pattern', () => {
  const digits = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length });
  const below = (max: number) => fc.nat({ max }).map((value) => String(value).padStart(2, '0'));
  const fraction = fc.oneof(
    fc.constant(''),
    fc
      .nat({ max: 10 })
      .chain(digits)
      .map((text) => `.${text}`),
  );
  const zone = fc.oneof(
    fc.constantFrom('Z', 'z', '', 'X'),
    fc
      .tuple(fc.constantFrom('+', '-'), below(25), below(61))
      .map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`),
  );
  const form = fc
    .tuple(
      digits(4),
      below(13),
      below(32),
      fc.constantFrom('T', 'T', 't', ' '),
      below(25),
      below(61),
      below(61),
      fraction,
      zone,
    )
    .map(
      ([year, month, day, t, hour, minute, second, rest, end]) =>
        `${year}-${month}-${day}${t}${hour}:${minute}:${second}${rest}${end}`,
    );
  const damaged = fc
    .tuple(form, fc.nat({ max: 34 }), fc.string({ maxLength: 2 }), fc.nat({ max: 2 }))
    .map(([text, at, inserted, removed]) => text.slice(0, at) + inserted + text.slice(at + removed));
  fc.assert(
    fc.property(fc.oneof(form, damaged), (text) => assert.equal(parse(text), reference(text), text)),
    { numRuns: 10_000 },
  );
});
