import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeString } from '../../src/event/json-text.ts';
import { RecentTexts } from '../../src/event/recent-texts.ts';

/** What may stand between the quotes of a JSON string. Few of each kind, so that texts meet others of the same place. */
const content = fc.oneof(
  fc.constantFrom('kube-system', 'kube-public', 'aA', 'bB', '', 'x'.repeat(64), 'x'.repeat(65)),
  fc.stringMatching(/^[a-c]{1,4}$/),
  fc
    .array(fc.constantFrom('a', 'é', '€', '😀', '\\n', '\\\\', '\\"', '\\u0061', '\\u00e9', '\\ud83d'), {
      maxLength: 4,
    })
    .map((parts) => parts.join('')),
);

const bytes = fc.oneof(
  { weight: 4, arbitrary: content.map((text) => Buffer.from(text)) },
  // Not UTF-8.
  {
    weight: 1,
    arbitrary: fc
      .array(fc.constantFrom(0x61, 0x80, 0xc3, 0xa9, 0xe9, 0xff), { minLength: 1, maxLength: 3 })
      .map((codes) => Buffer.from(codes)),
  },
);

test('whatever came before, a text is what decoding gives', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 60 }), fc.nat(5), (all, before) => {
      const texts = new RecentTexts();
      for (const one of [...all, ...all]) {
        const buf = Buffer.concat([Buffer.alloc(before, 'a'), one, Buffer.from('"')]);
        const [start, end] = [before, before + one.length];
        assert.equal(texts.decode(buf, start, end), decodeString(buf, start, end));
      }
    }),
    { numRuns: 2000 },
  );
});
