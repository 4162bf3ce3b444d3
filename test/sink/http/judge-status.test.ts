import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeStatus } from '../../../src/sink/http/judge-status.ts';
import type { Verdict } from '../../../src/sink/http/verdict.ts';
import { fuzz } from '../../helpers/fuzz-runs.ts';
import { answer, CONTEXT } from './answers.ts';
import { TIME } from './http-events.ts';

test('each status has its verdict', () => {
  const table: readonly [kind: Verdict['kind'], statuses: readonly number[]][] = [
    ['delivered', [200, 201, 202, 204, 206, 299]],
    ['retry', [408, 425, 429, 500, 502, 503, 504, 507, 599, 999, 100, 0]],
    ['blocked', [300, 301, 302, 304, 307, 308, 401, 403, 404, 405, 407, 415]],
    ['split', [400, 413, 422]],
    ['rejected', [402, 409, 410, 412, 418, 451, 499]],
  ];
  for (const [kind, statuses] of table) {
    for (const status of statuses) assert.equal(judgeStatus(answer(status), CONTEXT).kind, kind, String(status));
  }
});

test('a date in Retry-After is one of the clock of the receiver, which its Date shows', () => {
  const headers = { date: 'Sun, 29 Nov 2026 08:00:00 GMT', 'retry-after': 'Sun, 29 Nov 2026 08:00:07 GMT' };
  const verdict = judgeStatus(answer(429, '', { headers }), { ...CONTEXT, now: () => Date.UTC(2026, 10, 28) });
  assert.equal('retryAfterMs' in verdict ? verdict.retryAfterMs : undefined, 7000);
  const unreadable = judgeStatus(answer(429, '', { headers: { ...headers, date: 'today' } }), {
    ...CONTEXT,
    now: () => Date.UTC(2026, 10, 29, 8, 0, 2),
  });
  assert.equal('retryAfterMs' in unreadable ? unreadable.retryAfterMs : undefined, 5000);
});

test('an answer that broke off delivers nothing', () => {
  const verdict = judgeStatus(answer(200, '{"a":', { complete: false }), CONTEXT);
  assert.deepEqual(verdict, {
    kind: 'retry',
    reason: 'HTTP 200: {"a": (the answer cannot be read: it broke off)',
  });
});

test('an answer that is longer than what is read of it has said with its status what it had to say', () => {
  const answered = (status: number) => answer(status, '…', { complete: false, isTooLong: true });
  assert.equal(judgeStatus(answered(200), CONTEXT).kind, 'delivered');
  assert.equal(judgeStatus(answered(503), CONTEXT).kind, 'retry');
});

test('Retry-After is read in seconds and as each form of a date', () => {
  const table: readonly [value: string, expected: number | undefined][] = [
    ['120', 120_000],
    [' 7 ', 7000],
    ['0', 0],
    ['99999999999999999999', 600_000],
    [new Date(TIME + 30_000).toUTCString(), 29_877],
    ['Thu, 15 Jan 2026 09:01:00 GMT', 59_877],
    ['Thursday, 15-Jan-26 09:01:00 GMT', 59_877],
    ['Thu Jan 15 09:01:00 2026', 59_877],
    ['Thu, 15 Jan 2026 08:00:00 GMT', 0],
    ['Fri, 15 Jan 2100 08:00:00 GMT', 600_000],
    ['soon', undefined],
    ['', undefined],
    ['-5 apples', undefined],
  ];
  for (const [value, expected] of table) {
    const verdict = judgeStatus(answer(429, '', { headers: { 'retry-after': value } }), CONTEXT);
    assert.equal(verdict.kind, 'retry');
    assert.equal('retryAfterMs' in verdict ? verdict.retryAfterMs : undefined, expected, value);
  }
  assert.equal('retryAfterMs' in judgeStatus(answer(503), CONTEXT), false);
});

test('the reason is the status and one clean line of the body', () => {
  const reason = (body: string): string => (judgeStatus(answer(500, body), CONTEXT) as { reason: string }).reason;
  assert.equal(reason(''), 'HTTP 500');
  assert.equal(reason(' out of\r\n\tmemory\u2028now\u202e\u001b[31m '), 'HTTP 500: out of memory now [31m');
  assert.equal(reason('é'.repeat(300)), `HTTP 500: ${'é'.repeat(300)}`);
  assert.equal(reason('\u{1f600}'.repeat(301)), `HTTP 500: ${'\u{1f600}'.repeat(299)}…`);
});

test('any body gives a short reason without control characters', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 6000 }), (bytes) => {
    const { reason } = judgeStatus(answer(400, '', { body: Buffer.from(bytes) }), CONTEXT) as { reason: string };
    assert.ok([...reason].length <= 310);
    assert.doesNotMatch(reason, /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
  });
  fc.assert(property, fuzz(200));
});

test('of a redirection the origin is told, never the path', () => {
  const headers = { location: 'https://other.example/login?token=hidden' };
  const verdict = judgeStatus(answer(302, '', { headers }), CONTEXT);
  assert.deepEqual(verdict, { kind: 'blocked', reason: 'HTTP 302 to https://other.example' });
  assert.deepEqual(judgeStatus(answer(302, '', { headers: { location: '/login' } }), CONTEXT), {
    kind: 'blocked',
    reason: 'HTTP 302',
  });
});
