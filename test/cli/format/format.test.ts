import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Instants } from '../../../src/cli/format/instants.ts';
import { counted, formatBytes, formatCount } from '../../../src/cli/format/quantity.ts';
import { formatTable } from '../../../src/cli/format/table.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { printable, printableLine } from '../../../src/printable.ts';

test('quantities', () => {
  assert.deepEqual([0, 999, 1234567].map(formatCount), ['0', '999', '1,234,567']);
  assert.deepEqual([0, 1023, 1024, 1536, 1048575, 1048576, 5 * 1024 ** 4, 5000 * 1024 ** 4].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '1.0 MiB',
    '5.0 TiB',
    '5000.0 TiB',
  ]);
  assert.deepEqual(
    [counted(0, 'line'), counted(1, 'line'), counted(2000, 'line')],
    ['0 lines', '1 line', '2,000 lines'],
  );
});

test('instants in their zone, summer and winter, with a date only where it is needed', () => {
  const winter = Date.parse('2026-01-15T23:30:00.999Z');
  const summer = Date.parse('2026-07-15T09:00:00Z');
  assert.equal(new Instants().format(winter), '2026-01-15 23:30:00Z');
  const vienna = new Instants('Europe/Vienna');
  assert.equal(vienna.format(winter), '2026-01-16 00:30:00+01:00');
  assert.equal(vienna.format(summer), '2026-07-15 11:00:00+02:00');
  assert.equal(vienna.formatEnd(winter - 3_600_000, winter), '2026-01-16 00:30:00+01:00');
  assert.equal(vienna.formatEnd(winter, winter + 60_000), '00:31:00+01:00');
  assert.equal(new Instants('America/St_Johns').format(summer), '2026-07-15 06:30:00-02:30');
});

test('nothing that a terminal acts on gets through', () => {
  assert.equal(printable('a\tb\n\x1b[2J\x9b1m\x7f\r\0ä\u202e'), 'a\tb\n\\x1b[2J\\x9b1m\\x7f\\x0d\\x00ä\\u202e');
});

test('a line stays one line, and shows what nobody would see', () => {
  assert.equal(printableLine('a\tb\nc\u2028d\x1b[2J'), 'a b c d\\x1b[2J');
  assert.equal(printableLine('a\u200db\u00adc\ufeff日本\ud800'), 'a\\u200db\\u00adc\\ufeff日本\ufffd');
});

const COLUMNS = [{ head: 'name' }, { head: 'size', align: 'right' }] as const;
const ROWS = [
  ['a', '1'],
  ['a-name-that-is-as-long-as-they-get', '1,000'],
];

function terminal(stdout: { isTTY?: boolean; columns?: number }, env: NodeJS.ProcessEnv = {}): Terminal {
  return { stdout, env } as Terminal;
}

test('in a pipe a table is plain and never wrapped', () => {
  assert.equal(
    formatTable(COLUMNS, ROWS, terminal({ columns: 20 })),
    [
      'name                                 size',
      '──────────────────────────────────  ─────',
      'a                                       1',
      'a-name-that-is-as-long-as-they-get  1,000',
      '',
    ].join('\n'),
  );
});

test('on a terminal it is wrapped to the width, and bold unless NO_COLOR is set', () => {
  const plain = formatTable(COLUMNS, ROWS, terminal({ isTTY: true, columns: 30 }, { NO_COLOR: '1' }));
  assert.equal(
    plain,
    [
      'name                      size',
      '───────────────────────  ─────',
      'a                            1',
      'a-name-that-is-as-long-  1,000',
      'as-they-get',
      '',
    ].join('\n'),
  );
  const bold = formatTable(COLUMNS, ROWS, terminal({ isTTY: true, columns: 30 }));
  assert.notEqual(bold, plain);
  assert.equal(stripVTControlCharacters(bold), plain);
});
