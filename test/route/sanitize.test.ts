import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isDns1123Label, sanitizeCapture } from '../../src/route/sanitize.ts';

const HOSTILE = [
  '../../etc/passwd',
  '..',
  '.',
  'a\0b',
  'a\nb',
  'kube.system',
  'Ünïcode',
  '😀',
  'a'.repeat(4096),
  '_none',
  '-a',
];

test('a DNS-1123 label is what Kubernetes takes for a namespace', () => {
  for (const label of ['a', '0', 'kube-system', 'a--b', 'x'.repeat(63)])
    assert.equal(isDns1123Label(label), true, label);
  for (const label of ['', 'a-', 'A', 'a_b', 'x'.repeat(64), 'a.b', ...HOSTILE]) {
    assert.equal(isDns1123Label(label), false, label);
  }
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '9', '-', 'A', '.', 'é'), maxLength: 66 }), (text) => {
      assert.equal(isDns1123Label(text), /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text));
    }),
  );
});

test('dns1123 lets labels through and makes _invalid of everything else', () => {
  assert.equal(sanitizeCapture('kube-system', 'dns1123'), 'kube-system');
  for (const value of ['', ...HOSTILE]) assert.equal(sanitizeCapture(value, 'dns1123'), '_invalid');
});

test('other captures are one percent-encoded part of the tag', () => {
  const table: readonly [string, string][] = [
    ['Kube_System-1', 'Kube_System-1'],
    ['', '_invalid'],
    ['_none', '%5Fnone'],
    ['a_', 'a_'],
    ['a.b', 'a%2Eb'],
    ['../x', '%2E%2E%2Fx'],
    ['%2E', '%252E'],
    ['é😀', '%C3%A9%F0%9F%98%80'],
    ['\ud800x', '%EF%BF%BDx'],
    ['a\0\n', 'a%00%0A'],
    ['x'.repeat(200), 'x'.repeat(128)],
    [`${'x'.repeat(126)}/`, 'x'.repeat(126)],
    [`${'x'.repeat(125)}/`, `${'x'.repeat(125)}%2F`],
    [`${'x'.repeat(120)}😀`, 'x'.repeat(120)],
  ];
  for (const [value, expected] of table) assert.equal(sanitizeCapture(value, undefined), expected, value);
});

test('whatever the value, the result is a safe part that never passes for a reserved name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
      const part = sanitizeCapture(value, undefined);
      assert.match(part, /^(?:[A-Za-z0-9_-]|%[0-9A-F]{2}){1,128}$/);
      assert.ok(part.length <= 128);
      if (part.startsWith('_')) assert.equal(value, '');
      // Decodes to a prefix of the value: no escape and no character was cut in half.
      if (value !== '') assert.ok(value.toWellFormed().startsWith(decodeURIComponent(part)));
    }),
  );
});
