import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOverflowTag, overflowTag, oversizeTag, unparsedTag } from '../../src/route/reserved-tags.ts';

test('reserved tags follow the tag of their source', () => {
  assert.equal(unparsedTag('audit'), 'audit._unparsed');
  assert.equal(oversizeTag('audit.node1'), 'audit.node1._oversize');
  assert.equal(overflowTag('audit.default'), 'audit._overflow');
  assert.equal(overflowTag('audit'), 'audit._overflow');
});

test('an overflow tag is known by its last part', () => {
  assert.equal(isOverflowTag(overflowTag('audit.default')), true);
  assert.equal(isOverflowTag('audit.overflow'), false);
  assert.equal(isOverflowTag('audit._overflow.default'), false);
});
