import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../src/errors.ts';
import { TIME_UNITS, TimeSlots, type TimeUnit } from '../../src/route/time-slots.ts';

const HOUR = 3_600_000;

/** Whole, half and quarter hours; half-hour clock changes; a skipped day; changes at midnight; Ramadan. */
const ZONES = [
  'UTC',
  'Europe/Vienna',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Asia/Gaza',
  'Asia/Tehran',
  'America/Sao_Paulo',
  'Asia/Pyongyang',
  'America/Santiago',
  'Antarctica/Troll',
  '+05:30',
];

const slots = (unit: TimeUnit, zone: string): TimeSlots => new TimeSlots(unit, zone);
const at = (text: string): number => Date.parse(text);

function assertSlot(unit: TimeUnit, zone: string, time: string, start: string, end: string): void {
  const slot = slots(unit, zone).at(at(time));
  const found = [new Date(slot.start).toISOString(), new Date(slot.end).toISOString()];
  assert.deepEqual(
    found,
    [at(start), at(end)].map((ms) => new Date(ms).toISOString()),
    `${unit} of ${time} in ${zone}`,
  );
}

test('a slot is the calendar unit around a time', () => {
  assertSlot('second', 'UTC', '2026-11-20T15:04:05.999Z', '2026-11-20T15:04:05Z', '2026-11-20T15:04:06Z');
  assertSlot('minute', 'UTC', '2026-11-20T15:04:05Z', '2026-11-20T15:04:00Z', '2026-11-20T15:05:00Z');
  assertSlot('hour', 'UTC', '2026-11-20T15:00:00Z', '2026-11-20T15:00:00Z', '2026-11-20T16:00:00Z');
  assertSlot('day', 'UTC', '2026-11-20T15:04:05Z', '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z');
  assertSlot('month', 'UTC', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z');
  assertSlot('year', 'UTC', '2024-02-29T00:00:00Z', '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z');
  assertSlot('hour', 'UTC', '1969-12-31T23:30:00Z', '1969-12-31T23:00:00Z', '1970-01-01T00:00:00Z');
});

test('hours of half-hour zones begin at half past in UTC', () => {
  assertSlot('hour', 'Asia/Kolkata', '2026-11-20T15:04:05Z', '2026-11-20T14:30:00Z', '2026-11-20T15:30:00Z');
  assertSlot('hour', 'Asia/Kathmandu', '2026-11-20T15:04:05Z', '2026-11-20T14:15:00Z', '2026-11-20T15:15:00Z');
});

test('years and months begin where they begin locally, also across the end of a UTC year', () => {
  assertSlot('year', 'Asia/Kolkata', '2025-12-31T20:00:00Z', '2025-12-31T18:30:00Z', '2026-12-31T18:30:00Z');
  assertSlot('month', 'America/New_York', '2026-01-01T02:00:00Z', '2025-12-01T05:00:00Z', '2026-01-01T05:00:00Z');
  assertSlot('month', 'Europe/Vienna', '2026-03-15T00:00:00Z', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z');
});

test('an hour that comes twice is one slot, since it has one name', () => {
  for (const time of ['2026-10-25T00:00:00Z', '2026-10-25T00:59:59.999Z', '2026-10-25T01:30:00Z']) {
    assertSlot('hour', 'Europe/Vienna', time, '2026-10-25T00:00:00Z', '2026-10-25T02:00:00Z');
  }
  assertSlot('hour', 'Europe/Vienna', '2026-10-24T23:59:59Z', '2026-10-24T23:00:00Z', '2026-10-25T00:00:00Z');
  assertSlot('day', 'Europe/Vienna', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z');
  // Lord Howe goes back half an hour: 01:00 to 02:00, then 01:30 to 02:00 again.
  assertSlot('hour', 'Australia/Lord_Howe', '2026-04-04T14:30:00Z', '2026-04-04T14:00:00Z', '2026-04-04T15:30:00Z');
  assertSlot('hour', 'Australia/Lord_Howe', '2026-04-04T15:15:00Z', '2026-04-04T14:00:00Z', '2026-04-04T15:30:00Z');
});

test('an hour that is cut short, and a day that does not exist', () => {
  assertSlot('hour', 'Europe/Vienna', '2026-03-29T01:00:00Z', '2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z');
  assertSlot('hour', 'Australia/Lord_Howe', '2026-10-03T15:45:00Z', '2026-10-03T15:30:00Z', '2026-10-03T16:00:00Z');
  assertSlot('day', 'Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z');
  assertSlot('day', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z');
  assertSlot('month', 'Pacific/Apia', '2011-12-15T10:00:00Z', '2011-12-01T10:00:00Z', '2011-12-31T10:00:00Z');
});

test('times that RFC 3339 does not have are taken for the nearest', () => {
  const hours = slots('hour', 'Asia/Tokyo');
  for (const time of [Number.NaN, Number.NEGATIVE_INFINITY, -1e20, Number.POSITIVE_INFINITY, 8.64e15]) {
    const slot = hours.at(time);
    assert.ok(slot.end - slot.start === HOUR, String(time));
    assert.deepEqual(hours.at(slot.start), slot);
  }
});

test('an unknown zone is an error', () => {
  for (const zone of ['', 'Mars/Olympus', 'Europe/Vienna ', '../UTC']) {
    assert.throws(
      () => slots('hour', zone),
      (error) => error instanceof AuditailError && error.code === 'TIMEZONE',
      zone,
    );
  }
});

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local fields down to the unit, by Intl alone. */
function name(unit: TimeUnit, zone: string, time: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    const numeric = {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    } as const;
    format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, hourCycle: 'h23', ...numeric });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
  return TIME_UNITS.slice(0, TIME_UNITS.indexOf(unit) + 1)
    .map((part) => parts[part])
    .join('-');
}

const times = fc.integer({ min: at('2014-01-01T00:00:00Z'), max: at('2100-12-31T00:00:00Z') });

test('slots agree with Intl: one name inside, another one before and after', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), fc.constantFrom(...TIME_UNITS), times, (zone, unit, time) => {
      const slot = slots(unit, zone).at(time);
      const inside = name(unit, zone, time);
      assert.ok(slot.start <= time && time < slot.end);
      assert.equal(name(unit, zone, slot.start), inside);
      assert.equal(name(unit, zone, slot.end - 1), inside);
      assert.notEqual(name(unit, zone, slot.start - 1), inside);
      assert.notEqual(name(unit, zone, slot.end), inside);
    }),
    { numRuns: 300 },
  );
});

test('around every change of the clocks slots follow each other without a gap', () => {
  for (const zone of ZONES) {
    const hours = slots('hour', zone);
    const days = slots('day', zone);
    const end = at('2027-01-01T00:00:00Z');
    let count = 0;
    for (let time = at('2026-01-01T00:00:00Z'); time < end; count += 1) {
      const slot = hours.at(time);
      assert.ok(slot.end > time, zone);
      assert.deepEqual(hours.at(slot.end - 1), slot);
      if (count > 0) assert.equal(slot.start, time, `${zone} ${new Date(time).toISOString()}`);
      const day = days.at(time);
      assert.ok(day.start <= slot.start && slot.end <= day.end, `${zone}: an hour reaches over the end of its day`);
      time = slot.end;
    }
    assert.ok(count > 8700 && count < 8800, `${zone}: ${count} hours`);
  }
});
