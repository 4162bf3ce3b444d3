import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventScanner, STRING } from '../../src/event/scanner.ts';

test('plain text of a string ends at its first quote, backslash or control character, wherever the line is', () => {
  const scanner = new EventScanner(['a']);
  const byte = fc.oneof(
    fc.constantFrom(0x00, 0x01, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff),
    { weight: 6, arbitrary: fc.constantFrom(0x20, 0x23, 0x61, 0x80, 0xa2) },
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), fc.nat({ max: 20 }), (bytes, before) => {
      const begin = Buffer.from(`${' '.repeat(before)}{"a":"`);
      // With what would end a string right behind the line.
      const line = Buffer.concat([begin, Buffer.from(bytes)]);
      const buf = Buffer.concat([line, Buffer.from('"}"}"}"}"}"}"}"}"}')]);
      const stop = bytes.findIndex((one) => one < 0x20 || one === 0x22 || one === 0x5c);
      const verdict = scanner.scan(buf, 0, line.length);
      assert.equal(verdict, false, 'no line has a closing brace');
      const end = begin.length + (stop < 0 ? bytes.length : stop);
      if (stop >= 0 && bytes[stop]! < 0x20) assert.equal(scanner.errorOffset, end);
      else assert.ok(scanner.errorOffset >= end, `${scanner.errorOffset} is before ${end}`);
      if (stop >= 0 && bytes[stop] !== 0x22) return;
      // Ended by a quote, its own or one that is added, it is a string.
      const text = bytes.slice(0, stop < 0 ? bytes.length : stop);
      const whole = Buffer.concat([begin, Buffer.from([...text, 0x22, 0x7d]), Buffer.from('"}"}"}"}"}"}"}"}')]);
      assert.equal(scanner.scan(whole, 0, begin.length + text.length + 2), true, scanner.errorReason);
      assert.deepEqual([scanner.kinds[0], scanner.starts[0], scanner.ends[0]], [STRING, begin.length, end]);
    }),
    { numRuns: 20_000 },
  );
});
