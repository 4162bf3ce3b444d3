import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutText, textWidth } from '../../../src/cli/top/text-width.ts';

test('texts are cut at either end, between characters', () => {
  assert.equal(cutText('/var/log/audit.log', 18), '/var/log/audit.log');
  assert.equal(cutText('/var/log/audit.log', 10), '/var/log/…');
  assert.equal(cutText('/var/log/audit.log', 10, 'start'), '…audit.log');
  assert.equal(cutText('日本語の名前', 6), '日本…');
  assert.equal(cutText('日本語の名前', 6, 'start'), '…名前');
  assert.equal(cutText('日本語', 2), '…');
  assert.equal(cutText('ab', 1), '…');
  assert.equal(cutText('ab', 0), '');
  assert.equal(cutText('ab', -3), '');
  assert.equal(cutText('', 0), '');
});

test('a cut text is never wider, and loses nothing that had room', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 0, max: 20 }),
      fc.constantFrom('start' as const, 'end' as const),
      (whole, width, end) => {
        const cut = cutText(whole, width, end);
        assert.ok(textWidth(cut) <= width, `${JSON.stringify(cut)} is ${textWidth(cut)} wide`);
        if (textWidth(whole) <= width) assert.equal(cut, whole);
        else if (width > 0) assert.equal(end === 'end' ? cut.at(-1) : cut[0], '…');
      },
    ),
  );
});
