import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../../../src/config/types.ts';
import { redactor } from '../../../src/sink/http/config-secrets.ts';
import { judgeStatus } from '../../../src/sink/http/judge-status.ts';
import { answer } from './answers.ts';

const secret = (text: string): Secret => ({ reveal: () => text });
const unread: Secret = {
  reveal: () => {
    throw new Error('no such file');
  },
};
const url = secret('https://logs.example/in?key=query%2Fsecret');

test('what a receiver echoes of the configuration is not told', () => {
  const redact = redactor({
    url,
    headers: { 'x-key': secret('header-secret'), 'x-other': unread },
    auth: { kind: 'basic', username: 'agent', password: secret('pass"word') },
  });
  const sent = Buffer.from('agent:pass"word').toString('base64');
  const echo = `x-key: header-secret, Basic ${sent}, {"p":"pass\\"word"}, ?key=query%2Fsecret query/secret pass"word`;
  assert.equal(redact(echo), 'x-key: [secret], Basic [secret], {"p":"[secret]"}, ?key=[secret] [secret] [secret]');
});

test('a token is found without its scheme', () => {
  const value = secret('Splunk 0f0e-11aa');
  const redact = redactor({ url, headers: {}, auth: { kind: 'header', name: 'authorization', value } });
  assert.equal(redact('no token 0f0e-11aa; Splunk 0f0e-11aa'), 'no token [secret]; [secret]');
  const bearer = redactor({ url, headers: {}, auth: { kind: 'bearer', token: secret('tok-en-1') } });
  assert.equal(bearer('Bearer tok-en-1'), 'Bearer [secret]');
});

test('a secret that the excerpt would cut is gone whole', () => {
  const redact = redactor({ url, headers: {}, auth: { kind: 'bearer', token: secret('s3cr3t'.repeat(10)) } });
  const body = `${'x'.repeat(290)}${'s3cr3t'.repeat(10)}`;
  const { reason } = judgeStatus(answer(401, body), { now: Date.now, redact }) as { reason: string };
  assert.doesNotMatch(reason, /s3c/);
});

test('texts too short for a secret leave the reason readable', () => {
  const redact = redactor({ url: secret('https://x.example/?a=1'), headers: { a: secret('no') }, auth: undefined });
  assert.equal(redact('no index 11'), 'no index 11');
});
