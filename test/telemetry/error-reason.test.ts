import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { AuditailError } from '../../src/errors.ts';
import { errorReason, statusReasonLabel } from '../../src/telemetry/error-reason.ts';

test('an error of the system is named by its code, and nothing else names itself', () => {
  let failed: unknown;
  try {
    statSync('/no/such/file');
  } catch (error) {
    failed = error;
  }
  assert.equal(errorReason(failed), 'ENOENT');
  assert.equal(errorReason(new AuditailError('NOT_A_FILE', 'it is a directory')), 'other');
  assert.equal(errorReason(Object.assign(new Error('made up'), { code: 'E{evil="1"}' })), 'other');
  assert.equal(errorReason('no error'), 'other');
});

test('a receiver cannot make up more reasons than there are statuses', () => {
  assert.equal(statusReasonLabel(503), 'http_503');
  const labels = new Set(Array.from({ length: 1000 }, (_, status) => statusReasonLabel(status)));
  assert.ok(labels.has('other'));
  assert.ok(labels.size < 80, `${labels.size} labels`);
});
