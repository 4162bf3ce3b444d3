import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditailError } from '../../src/errors.ts';
import { Router } from '../../src/route/router.ts';

test('every sink that matches gets the event, in the order of the configuration', () => {
  const router = new Router([
    { match: 'audit.**', sink: 'archive' },
    { match: '**.{_none,kube-*}', sink: 'system' },
    { match: '**', sink: 'all' },
  ]);
  assert.deepEqual(router.sinksFor('audit.shop'), ['archive', 'all']);
  assert.deepEqual(router.sinksFor('audit.kube-system'), ['archive', 'system', 'all']);
  assert.deepEqual(router.sinksFor('other._none'), ['system', 'all']);
  assert.equal(router.sinksFor('audit.shop'), router.sinksFor('audit.shop'));
});

test('an event that nobody wants has no sinks', () => {
  assert.deepEqual(new Router([{ match: 'audit.*', sink: 1 }]).sinksFor('audit'), []);
  assert.deepEqual(new Router([]).sinksFor('audit'), []);
});

test('a pattern that is none is refused', () => {
  assert.throws(
    () => new Router([{ match: 'a}', sink: 1 }]),
    (error) => error instanceof AuditailError && error.code === 'TAG_PATTERN',
  );
});

test('routes stay right when more tags come than are remembered', () => {
  const router = new Router([{ match: 'audit.*7', sink: 'sevens' }]);
  for (let i = 0; i < 30_000; i += 1) {
    assert.equal(router.sinksFor(`audit.${i}`).length, i % 10 === 7 ? 1 : 0);
  }
});
