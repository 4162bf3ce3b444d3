import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventScanner } from '../../src/event/scanner.ts';
import { findTornEvent } from '../../src/event/torn.ts';
import { parseObject } from './reference.ts';

const BEGINNING = '{"kind":"Event","apiVersion":"audit.k8s.io/v1"';

function event(namespace: string, extra = ''): string {
  return `${BEGINNING},"stage":"Panic","objectRef":{"namespace":"${namespace}","name":"\u00fc"},"note":"a \\"b\\" {"${extra}}`;
}

/** Counts the bytes that scans have read. */
class CountingScanner extends EventScanner {
  bytes = 0;

  override scan(buf: Buffer, start: number, end: number): boolean {
    const verdict = super.scan(buf, start, end);
    this.bytes += (verdict ? end : this.errorOffset) - start;
    return verdict;
  }
}

test('every break of an event before a whole one', () => {
  const scanner = new EventScanner(['objectRef.namespace']);
  const [half, whole] = [
    event('half', `,"items":[1,${event('inner')},{"x":null}]`),
    event('whole', `,"o":${event('inner')}`),
  ];
  const size = Buffer.byteLength(half);
  for (let cut = 1; cut < size; cut += 1) {
    const line = Buffer.concat([
      Buffer.from('before '),
      Buffer.from(half).subarray(0, cut),
      Buffer.from(`${whole}\r after`),
    ]);
    const end = line.length - ' after'.length;
    assert.equal(findTornEvent(line, 7, end, scanner), 7 + cut, `cut at ${cut}`);
    assert.equal(scanner.text(0), 'whole');
  }
});

test('several fragments before the whole event', () => {
  const scanner = new EventScanner(['objectRef.namespace']);
  const fragments = [60, 75, 100, 150].map((length) => event('half').slice(0, length)).join('');
  const line = Buffer.from(fragments + event('whole'));
  assert.equal(findTornEvent(line, 0, line.length, scanner), Buffer.byteLength(fragments));
  assert.equal(scanner.text(0), 'whole');
});

test('lines without a whole event at their end', () => {
  const scanner = new EventScanner(['objectRef.namespace']);
  const lines = [
    '',
    '}',
    'garbage',
    event('half').slice(0, 100),
    event('half').slice(0, 100) + event('half').slice(0, 120),
    `${event('half').slice(0, 100) + event('whole')}x`,
    `${event('a')}}`,
    `half{"kind":"Event","apiVersion":"v1"}`,
    `half{"kind": "Event", "apiVersion":"audit.k8s.io/v1"}`,
  ];
  for (const text of lines) {
    const line = Buffer.from(text);
    assert.equal(findTornEvent(line, 0, line.length, scanner), -1, text);
    assert.equal(scanner.text(0), undefined);
  }
});

test('the whole event is behind the start and inside the range', () => {
  const scanner = new EventScanner([]);
  const line = Buffer.from(event('a') + event('b'));
  const first = Buffer.byteLength(event('a'));
  assert.equal(findTornEvent(line, 0, first, scanner), -1);
  assert.equal(findTornEvent(line, first, line.length, scanner), -1);
  assert.equal(findTornEvent(line, 0, line.length - 1, scanner), -1);
  assert.equal(findTornEvent(line, 0, line.length, scanner), first);
});

test('any mixture of pieces gives what trying every beginning gives', () => {
  const piece = fc.constantFrom(
    ...[
      BEGINNING,
      `${BEGINNING}}`,
      `,"a":${BEGINNING}`,
      ',"a":',
      '}',
      ']',
      '"',
      ',',
      ',"a":[',
      ',"b":"x"',
      '\\',
      ' ',
      '{',
      '1',
    ],
  );
  const scanner = new EventScanner([]);
  const check = (pieces: readonly string[]) => {
    const line = Buffer.from(pieces.join(''));
    let expected = -1;
    for (let at = line.indexOf(BEGINNING, 1); at !== -1; at = line.indexOf(BEGINNING, at + 1)) {
      if (parseObject(line, at, line.length) === undefined) continue;
      assert.equal(expected, -1, 'two whole events in one line');
      expected = at;
    }
    assert.equal(findTornEvent(line, 0, line.length, scanner), expected, line.toString());
  };
  fc.assert(fc.property(fc.array(piece, { maxLength: 14 }), check), { numRuns: 20_000 });
});

test('the work on hostile lines is a constant number of passes', () => {
  const count = 20_000;
  const hostile = {
    'open to the end': `,"a":${BEGINNING}`.repeat(count),
    'closed one after another': `${BEGINNING}}`.repeat(count),
    'nested and closed': `${`${BEGINNING},"a":`.repeat(count)}1${'}'.repeat(count)}`,
    'nested, closed once too often': `${`${BEGINNING},"a":`.repeat(count)}1${'}'.repeat(count + 1)}`,
    'in an array': `${BEGINNING},"a":[${`${BEGINNING}},`.repeat(count)}`,
    'broken where the next begins': BEGINNING.repeat(count),
    'in strings': `${BEGINNING},"a":"`.repeat(count),
  };
  for (const [name, fragment] of Object.entries(hostile)) {
    const scanner = new CountingScanner([]);
    const line = Buffer.from(`x${fragment}}`);
    findTornEvent(line, 0, line.length, scanner);
    assert.ok(scanner.bytes <= 20 * line.length, `${name}: ${(scanner.bytes / line.length).toFixed(1)} passes`);
  }
});

test('an event behind thousands of nested beginnings is found', () => {
  const scanner = new EventScanner(['objectRef.namespace']);
  const nested = `${`${BEGINNING},"a":`.repeat(5000)}1${'}'.repeat(4000)}`;
  const line = Buffer.from(`${nested},"half${event('whole')}`);
  assert.equal(findTornEvent(line, 0, line.length, scanner), Buffer.byteLength(`${nested},"half`));
  assert.equal(scanner.text(0), 'whole');
});
