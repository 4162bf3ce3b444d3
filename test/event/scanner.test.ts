import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AuditailError } from '../../src/errors.ts';
import { CONTAINER, EventScanner, MISSING, NULL, SCALAR, STRING } from '../../src/event/scanner.ts';
import { assertScansAsParsed } from './reference.ts';

const NAMESPACE = 'objectRef.namespace';

function scanText(text: string | Buffer, ...paths: string[]): EventScanner {
  const scanner = new EventScanner(paths);
  assertScansAsParsed(scanner, paths, Buffer.from(text));
  scanner.scan(Buffer.from(text), 0, Buffer.from(text).length);
  return scanner;
}

describe('faults', () => {
  const faults: [string, number, string][] = [
    ['', 0, 'unexpected end'],
    ['  \t', 3, 'unexpected end'],
    ['[{}]', 0, 'not a JSON object'],
    [' "a"', 1, 'not a JSON object'],
    ['null', 0, 'not a JSON object'],
    ['\ufeff{}', 0, 'not a JSON object'],
    ['\0\0{}', 0, 'not a JSON object'],
    ['{', 1, 'unexpected end'],
    ['{"a":1', 6, 'unexpected end'],
    ['{"a', 3, 'unexpected end'],
    ['{"a"', 4, 'unexpected end'],
    ['{"a":', 5, 'unexpected end'],
    ['{"a":"b\\', 8, 'unexpected end'],
    ['{"a":"\\u00', 10, 'unexpected end'],
    ['{"a":tr', 7, 'unexpected end'],
    ['{"a":-', 6, 'unexpected end'],
    ['{a:1}', 1, 'expected a key in double quotes'],
    ["{'a':1}", 1, 'expected a key in double quotes'],
    ['{,}', 1, 'expected a key in double quotes'],
    ['{"a":1,}', 7, 'expected a key in double quotes'],
    ['{"a" 1}', 5, 'expected a colon'],
    ['{"a":}', 5, 'expected a value'],
    ['{"a":[1,]}', 8, 'expected a value'],
    ['{"a":[,1]}', 6, 'expected a value'],
    ['{"a":+1}', 5, 'expected a value'],
    ['{"a":.5}', 5, 'expected a value'],
    ['{"a":NaN}', 5, 'expected a value'],
    ['{"a":\xff}', 5, 'expected a value'],
    ['{"a":trve}', 7, 'expected true'],
    ['{"a":nul}', 8, 'expected null'],
    ['{"a":fals3}', 9, 'expected false'],
    ['{"a":-x}', 6, 'expected a digit'],
    ['{"a":1.}', 7, 'expected a digit'],
    ['{"a":1e}', 7, 'expected a digit'],
    ['{"a":1e+}', 8, 'expected a digit'],
    ['{"a":01}', 6, 'expected a comma or }'],
    ['{"a":0x1}', 6, 'expected a comma or }'],
    ['{"a":1 "b":2}', 7, 'expected a comma or }'],
    ['{"a":[1 2]}', 8, 'expected a comma or ]'],
    ['{"a":[1}', 7, 'expected a comma or ]'],
    ['{"a":1]', 6, 'expected a comma or }'],
    ['{"a":"b\nc"}', 7, 'control character in a string'],
    ['{"a\0":1}', 3, 'control character in a string'],
    ['{"a":"\\x41"}', 7, 'invalid escape in a string'],
    ['{"a":"\\u00g0"}', 10, 'invalid escape in a string'],
    ['{"a":1}}', 7, 'unexpected text after the object'],
    ['{} {}', 3, 'unexpected text after the object'],
    ['{"a":1}\0', 7, 'unexpected text after the object'],
    ['{"a":1}\u00a0', 7, 'unexpected text after the object'],
    ['{\v"a":1}', 1, 'expected a key in double quotes'],
    ['{"a":1/**/}', 6, 'expected a comma or }'],
  ];
  for (const [text, offset, reason] of faults) {
    test(`${JSON.stringify(text)}: ${reason} at ${offset}`, () => {
      const scanner = scanText(text, 'a');
      assert.equal(scanner.errorOffset, offset);
      assert.equal(scanner.errorReason, reason);
      assert.equal(scanner.kinds[0], MISSING);
      assert.equal(scanner.text(0), undefined);
    });
  }

  test('offsets are those of the whole buffer, and its other bytes do not matter', () => {
    const buf = Buffer.from('{"a":1}\n{"a":tru}\n{"a":true}');
    const scanner = new EventScanner(['a']);
    assert.equal(scanner.scan(buf, 8, 17), false);
    assert.equal(scanner.errorOffset, 16);
    assert.equal(scanner.scan(buf, 8, 16), false);
    assert.equal(scanner.errorOffset, 16);
    assert.equal(scanner.errorReason, 'unexpected end');
    assert.equal(scanner.scan(buf, 18, 28), true);
    assert.equal(scanner.errorReason, '');
    assert.equal(scanner.text(0), 'true');
  });
});

describe('values', () => {
  test('kinds and texts', () => {
    const scanner = scanText(
      '{"s":"x","e":"","n":-1.50E+2,"t":true,"f":false,"z":null,"o":{},"a":[1]}',
      ...['s', 'e', 'n', 't', 'f', 'z', 'o', 'a', 'm', 'o.x', 'a.x', 's.x'],
    );
    assert.deepEqual(
      [...scanner.kinds],
      [STRING, STRING, SCALAR, SCALAR, SCALAR, NULL, CONTAINER, CONTAINER, MISSING, MISSING, MISSING, MISSING],
    );
    const texts = Array.from(scanner.kinds, (_kind, slot) => scanner.text(slot));
    assert.deepEqual(texts.slice(0, 6), ['x', '', '-1.50E+2', 'true', 'false', undefined]);
    assert.deepEqual(new Set(texts.slice(5)), new Set([undefined]));
    assert.equal(scanner.text(99), undefined);
  });

  test('ranges are the bytes of the value, of a string those between its quotes', () => {
    const buf = Buffer.from(' {"a" : "bc" , "d":[ 12 ]}');
    const scanner = new EventScanner(['a', 'd[0]']);
    assert.ok(scanner.scan(buf, 0, buf.length));
    assert.equal(buf.toString('utf8', scanner.starts[0], scanner.ends[0]), 'bc');
    assert.equal(buf.toString('utf8', scanner.starts[1], scanner.ends[1]), '12');
  });

  test('numbers keep their source text, however large', () => {
    const digits = '9'.repeat(10_000);
    assert.equal(scanText(`{"a":-${digits}.${digits}e-${digits}}`, 'a').text(0), `-${digits}.${digits}e-${digits}`);
    assert.equal(scanText('{"a":1E999}', 'a').text(0), '1E999');
    assert.equal(scanText('{"a":-0}', 'a').text(0), '-0');
  });

  test('keys and strings written with escapes', () => {
    assert.equal(scanText('{"object\\u0052ef":{"n\\u0061mespace":"a\\u002Fb\\n"}}', NAMESPACE).text(0), 'a/b\n');
    assert.equal(scanText('{"\\u006fbjectRef":{"namespace":"x"}}', 'objectRef', NAMESPACE).text(1), 'x');
    assert.equal(scanText(`{"${'\\u006f'.repeat(100_000)}":1,"oo":2}`, 'oo').text(0), '2');
  });

  test('surrogates, paired and alone', () => {
    assert.equal(scanText('{"a":"\\ud83d\\ude00"}', 'a').text(0), '\u{1f600}');
    assert.equal(scanText('{"a":"\\ude00\\ud83d"}', 'a').text(0), '\ude00\ud83d');
    assert.equal(scanText('{"\\ud83d\\ude00":1}', "$['\u{1f600}']").text(0), '1');
  });

  test('bytes that are no UTF-8 are fine inside strings only, and read as U+FFFD', () => {
    const line = (...bytes: number[]) => Buffer.concat([Buffer.from('{"a":"'), Buffer.of(...bytes), Buffer.from('"}')]);
    assert.equal(scanText(line(0xff), 'a').text(0), '\ufffd');
    assert.equal(scanText(line(0x61, 0xc3), 'a').text(0), 'a\ufffd');
    assert.equal(scanText(line(0xed, 0xa0, 0x80), 'a').text(0), '\ufffd\ufffd\ufffd');
    assert.equal(scanText(line(0xf0, 0x9f, 0x5c, 0x22), 'a').text(0), '\ufffd"');
    assert.equal(scanText(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "$['\ufffd']").text(0), '1');
    assert.equal(scanText(Buffer.from([0x7b, 0xff, 0x7d])).errorOffset, 1);
  });

  test('keys that mean something to JavaScript objects', () => {
    assert.equal(scanText('{"__proto__":{"a":"x"}}', "$['__proto__'].a").text(0), 'x');
    assert.equal(scanText('{}', '__proto__', 'constructor.name', 'toString').kinds.join(), '0,0,0');
    assert.equal(scanText('{"a":[1],"b":"x"}', 'a.length', "a['0']", 'b.length', 'b[0]').kinds.join(), '0,0,0,0');
  });
});

describe('paths', () => {
  test('shared beginnings, an end inside another path, and the same path twice', () => {
    const paths = [NAMESPACE, 'objectRef.name', 'objectRef', NAMESPACE, 'objectRefs'];
    const scanner = scanText('{"objectRef":{"name":"n","namespace":"s"},"objectRefs":1}', ...paths);
    assert.deepEqual(
      paths.map((_path, slot) => scanner.text(slot)),
      ['s', 'n', undefined, 's', '1'],
    );
    assert.equal(scanner.kinds[2], CONTAINER);
  });

  test('elements of arrays, nested, beside unwanted arrays', () => {
    const paths = ['a[1]', 'a[2][0].b', 'a[2][1]', 'a[9]'];
    const scanner = scanText('{"x":[[1,2],[3]],"a":[[5,6,7],"p",[{"c":[1,2],"b":"q"},"r"],8]}', ...paths);
    assert.deepEqual(
      paths.map((_path, slot) => scanner.text(slot)),
      ['p', 'q', 'r', undefined],
    );
  });

  test('of duplicate keys the last counts, at every level and of every type', () => {
    assert.equal(scanText('{"objectRef":{"namespace":"a","namespace":"b"}}', NAMESPACE).text(0), 'b');
    assert.equal(scanText('{"objectRef":{"namespace":"a"},"objectRef":{"namespace":"b"}}', NAMESPACE).text(0), 'b');
    for (const later of ['{}', '[]', '{"name":"x"}', 'null', '1', '"namespace"', '[{"namespace":"y"}]']) {
      assert.equal(scanText(`{"objectRef":{"namespace":"a"},"objectRef":${later}}`, NAMESPACE).text(0), undefined);
      assert.equal(
        scanText(`{"objectRef":{"namespace":"a"},"object\\u0052ef":${later}}`, NAMESPACE).text(0),
        undefined,
      );
    }
    assert.equal(scanText('{"a":[1,2],"a":[3]}', 'a[0]', 'a[1]').text(1), undefined);
  });

  test('no paths: the verdict only', () => {
    assert.equal(scanText('{"a":{"b":[1,{"c":2}]}}').kinds.length, 0);
  });

  test('a path that cannot be read is refused', () => {
    assert.throws(
      () => new EventScanner(['a', 'b..c']),
      (error) => error instanceof AuditailError && error.code === 'FIELD_PATH',
    );
  });
});

describe('sizes and buffers', () => {
  test('nesting is bounded by the line only', () => {
    const levels = 10_000_000;
    const scanner = new EventScanner([NAMESPACE, 'a[0][0]']);
    const open = Buffer.alloc(levels + 5, '[');
    open.write('{"a":');
    assert.equal(scanner.scan(open, 0, open.length), false);
    assert.equal(scanner.errorOffset, open.length);
    const closed = Buffer.concat([open, Buffer.alloc(levels, ']'), Buffer.from(',"objectRef":{"namespace":"x"}}')]);
    assert.equal(scanner.scan(closed, 0, closed.length), true);
    assert.equal(scanner.text(0), 'x');
    assert.equal(scanner.kinds[1], CONTAINER);
    closed[5 + levels + levels / 2] = 0x7d;
    assert.equal(scanner.scan(closed, 0, closed.length), false);
    assert.equal(scanner.errorOffset, 5 + levels + levels / 2);
  });

  test('a string of 100 MB', () => {
    const buf = Buffer.alloc(100_000_000, 'x');
    buf.write('{"a":"');
    buf.write('","objectRef":{"namespace":"n"}}', buf.length - 32);
    const scanner = new EventScanner([NAMESPACE]);
    assert.equal(scanner.scan(buf, 0, buf.length), true);
    assert.equal(scanner.text(0), 'n');
    buf[99_000_001] = 0x1f;
    assert.equal(scanner.scan(buf, 0, buf.length), false);
    assert.equal(scanner.errorOffset, 99_000_001);
    assert.equal(scanner.errorReason, 'control character in a string');
  });

  test('the same buffer with other bytes, another buffer, and a slice at an odd place', () => {
    const scanner = new EventScanner(['a']);
    const buf = Buffer.from('{"a":"one"}');
    assert.ok(scanner.scan(buf, 0, buf.length));
    assert.equal(scanner.text(0), 'one');
    buf.write('{"a":"two"}');
    assert.ok(scanner.scan(buf, 0, buf.length));
    assert.equal(scanner.text(0), 'two');
    const slice = Buffer.from('xxx{"a":"three"}').subarray(3);
    assert.ok(scanner.scan(slice, 0, slice.length));
    assert.equal(scanner.text(0), 'three');
  });

  test('every byte inside a string, at every alignment', () => {
    const paths = ['a'];
    const scanner = new EventScanner(paths);
    for (let length = 0; length < 9; length += 1) {
      for (let place = 0; place < length; place += 1) {
        for (let byte = 0; byte < 256; byte += 1) {
          const buf = Buffer.from(`{"a":"${'x'.repeat(length)}"}`);
          buf[6 + place] = byte;
          assertScansAsParsed(scanner, paths, buf);
        }
      }
    }
  });
});
