import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, formatDuration, formatSize, parseDuration, parseSize, TIB } from '../../src/config/units.ts';

test('sizes are bytes, in powers of 1024 and of 1000', () => {
  const sizes: [string, number][] = [
    ['0', 0],
    ['4096', 4096],
    ['1B', 1],
    ['64KiB', 65_536],
    ['64 KiB', 65_536],
    ['1KB', 1000],
    ['1kB', 1000],
    ['1MB', 1_000_000],
    ['1.1MB', 1_100_000],
    ['1.5GiB', 1_610_612_736],
    ['10GiB', 10_737_418_240],
    ['2TB', 2e12],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text);
});

test('what is no size is none', () => {
  const wrong = [
    '',
    'KiB',
    '-1',
    '1kib',
    '64K',
    '1 000',
    '1e3',
    '0x10',
    '1.5',
    '0.3B',
    '1.0001KiB',
    '1KiBs',
    '٣',
    '1KiB\n',
  ];
  for (const text of wrong) assert.equal(parseSize(text), undefined, JSON.stringify(text));
  assert.equal(parseSize('9999999TiB'), undefined, 'not exact as a number');
});

test('durations are milliseconds and need a unit', () => {
  const durations: [string, number][] = [
    ['0s', 0],
    ['500ms', 500],
    ['5s', 5000],
    ['1.5h', 5_400_000],
    ['90m', 5_400_000],
    ['7d', 604_800_000],
  ];
  for (const [text, ms] of durations) assert.equal(parseDuration(text), ms, text);
  for (const text of ['', '5', 's', '-5s', '5 sec', '1h30m', '0.5ms', '5S', 'off']) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});

test('property: what is formatted is read back as the same number', () => {
  const bytes = fc.oneof(
    fc.nat(),
    fc.maxSafeNat(),
    fc.nat({ max: 2000 }).map((n) => n * TIB),
  );
  fc.assert(fc.property(bytes, (n) => parseSize(formatSize(n)) === n));
  const ms = fc.oneof(
    fc.nat(),
    fc.nat({ max: 10_000 }).map((n) => n * DAY_MS),
  );
  fc.assert(fc.property(ms, (n) => parseDuration(formatDuration(n)) === n));
});

test('the shortest exact unit is shown', () => {
  assert.deepEqual([0, 1000, 1024, 65_536, 1.5 * 1024 ** 3].map(formatSize), [
    '0B',
    '1000B',
    '1KiB',
    '64KiB',
    '1536MiB',
  ]);
  assert.deepEqual([0, 1500, 60_000, 5_400_000, DAY_MS].map(formatDuration), ['0s', '1500ms', '1m', '90m', '1d']);
});
