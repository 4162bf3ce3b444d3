import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePosFile } from '../../../src/cli/offsets/pos-file.ts';
import { posLine } from './other-agents.ts';

function parse(text: string | Buffer) {
  return parsePosFile(Buffer.from(text), 'a.pos');
}

test('lines as fluentd writes them, also before v0.14', () => {
  const text =
    '/var/log/kubernetes/audit/audit.log\t00000000000004d2\t000000000000162e\n' +
    '/var/log/old.log\t0000000000000001\t0000162f\n';
  assert.deepEqual(parse(text), [
    { place: 'line 1', path: '/var/log/kubernetes/audit/audit.log', offset: 1234n, inode: 5678n },
    { place: 'line 2', path: '/var/log/old.log', offset: 1n, inode: 5679n },
  ]);
});

test('numbers beyond those of JavaScript', () => {
  const [entry] = parse(posLine({ path: '/a', offset: 2n ** 63n + 1n, inode: 2n ** 64n - 1n }));
  assert.deepEqual([entry!.offset, entry!.inode], [2n ** 63n + 1n, 2n ** 64n - 1n]);
});

test('what is not watched any more, and what was never found, is left out; lines keep their numbers', () => {
  const lines = [
    { path: '/gone', offset: 0xffff_ffff_ffff_ffffn, inode: 5n },
    { path: '/never', offset: 0, inode: 0n },
    { path: '/a b', offset: 0, inode: 7n },
  ];
  assert.deepEqual(parse(lines.map((line) => posLine(line)).join('')), [
    { place: 'line 3', path: '/a b', offset: 0n, inode: 7n },
  ]);
});

test('an empty file has no positions', () => {
  assert.deepEqual(parse(''), []);
});

const good = posLine({ path: '/a', offset: 1, inode: 2n });
const wrong: Readonly<Record<string, string>> = {
  CRLF: good.replace('\n', '\r\n'),
  'a blank line': '\n',
  'spaces for tabs': good.replaceAll('\t', ' '),
  'a torn line': good.slice(0, -5),
  'an inode of nine digits': '/a\t0000000000000001\t000000002\n',
  'capital digits': '/a\t000000000000000A\t0000000000000002\n',
  'no path': good.slice(2),
  'something else': `${'x'.repeat(200)}\n`,
};
for (const [name, line] of Object.entries(wrong)) {
  test(`${name}: one clear error with the line's number`, () => {
    assert.throws(
      () => parse(good + line),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'IMPORT_FORMAT');
        assert.match(error.message, /^a\.pos:2: "[^\n]{0,100}" is no line of a pos_file of fluentd$/);
        return true;
      },
    );
  });
}
