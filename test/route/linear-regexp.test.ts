import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditailError } from '../../src/errors.ts';
import { compilePattern } from '../../src/route/linear-regexp.ts';

const HOSTILE = `${'a'.repeat(1023)}!`;

test('patterns that backtrack without end are done in no time', () => {
  for (const source of ['^(a+)+$', '^(a|aa)+$', '(a*)*b', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)(.*)(.*)(.*)(.*)x']) {
    const pattern = compilePattern(source);
    const started = performance.now();
    assert.equal(pattern.exec(HOSTILE), undefined);
    const took = performance.now() - started;
    assert.ok(took < 100, `${source} took ${took} ms`);
  }
});

test('what the linear engine cannot run is accepted only when it hardly backtracks', () => {
  const accepted = [
    '^(?!kube-)(.+)$',
    '^(?!kube-.*$)(.+)$',
    '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$',
    '(?i:prod|test)',
    '^[a-f0-9]{32}$',
    '(?=.)[\\]+*(]x*',
    '(?!x).*',
    '^(?!x).*.*!!',
  ];
  for (const source of accepted) {
    const pattern = compilePattern(source);
    const started = performance.now();
    pattern.exec(HOSTILE);
    const took = performance.now() - started;
    assert.ok(took < 200, `${source} took ${took} ms`);
  }
  for (const source of [
    '(a+)\\1',
    '(?<x>a)\\k<x>',
    '(?:a?){40}(?:a){40}b',
    '^(?=a)(a+)+$',
    '(?!x).*.*',
    '^(?!x).*.*.*',
  ]) {
    assert.throws(
      () => compilePattern(source),
      (error) => error instanceof AuditailError && error.code === 'PATTERN' && /very long/.test(error.message),
      source,
    );
  }
});

test('a pattern that is none is refused with the reason', () => {
  for (const [source, reason] of [
    ['(', /Unterminated group/],
    ['a**', /Nothing to repeat/],
    ['[b-a]', /out of order/],
  ] as const) {
    assert.throws(
      () => compilePattern(source),
      (error) => error instanceof AuditailError && error.code === 'PATTERN' && reason.test(error.message),
      source,
    );
  }
});

test('groups are counted and those that took no part are empty', () => {
  assert.equal(compilePattern('a').groups, 0);
  assert.equal(compilePattern('(a)|(?<n>b)|(?:c)').groups, 2);
  assert.deepEqual(compilePattern('(a)|(b)').exec('b'), ['', 'b']);
  assert.equal(compilePattern('(a)').exec('b'), undefined);
});

test('a line feed in a value hides nothing from a pattern', () => {
  assert.deepEqual(compilePattern('^(.+)$').exec('a\nb'), ['a\nb']);
});

test('an expression that V8 would fail to compile when it is first used is refused before', () => {
  const refused = { code: 'PATTERN' };
  assert.throws(() => compilePattern('(.+)$'.repeat(10_000)), refused);
  assert.throws(() => compilePattern('('.repeat(30_000) + ')'.repeat(30_000)), refused);
  assert.equal(compilePattern('(a)'.repeat(1000)).groups, 1000);
});
