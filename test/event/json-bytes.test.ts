import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainEnd } from '../../src/event/json-bytes.ts';

test('plain text of a string ends at its first quote, backslash or control character, or at the end of the range', () => {
  const byte = fc.oneof(
    fc.constantFrom(0x00, 0x01, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff),
    { weight: 3, arbitrary: fc.constantFrom(0x20, 0x23, 0x61, 0x80, 0xa2) },
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 24 }), fc.nat({ max: 24 }), fc.nat({ max: 24 }), (bytes, from, to) => {
      // At an odd place of a larger buffer, with a stop right behind the range.
      const buf = Buffer.from([0x78, 0x22, 0x78, ...bytes, 0x22, 0x22, 0x22, 0x22]).subarray(3);
      const end = Math.min(to, bytes.length);
      const at = Math.min(from, end);
      let expected = at;
      while (expected < end && buf[expected]! >= 0x20 && buf[expected] !== 0x22 && buf[expected] !== 0x5c)
        expected += 1;
      const view = new DataView(buf.buffer, buf.byteOffset, buf.length);
      assert.equal(plainEnd(view, buf, at, end), expected);
    }),
    { numRuns: 20_000 },
  );
});
