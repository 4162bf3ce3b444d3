import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../../../src/config/types.ts';
import { redactor } from '../../../src/sink/http/config-secrets.ts';
import { judgeStatus } from '../../../src/sink/http/judge-status.ts';
import { answer } from './answers.ts';
import { secret } from './http-config.ts';

const unread: Secret = {
  reveal: () => {
    throw new Error('no such file');
  },
};
const url = secret('https://logs.example/hooks/path%20secret?key=query%2Fsecret');
const plain = { url, headers: {}, auth: undefined, proxy: undefined };
const now = (): number => 0;

test('what a receiver echoes of the configuration is not told', () => {
  const headers = { 'x-key': secret('header-secret'), 'x-other': unread };
  const auth = { kind: 'basic', username: 'agent', password: secret('pass"word') } as const;
  const redact = redactor({ ...plain, headers, auth }, now);
  const sent = Buffer.from('agent:pass"word').toString('base64');
  const echo = `x-key: header-secret, Basic ${sent}, {"p":"pass\\"word"}, ?key=query%2Fsecret query/secret pass"word`;
  assert.equal(redact(echo), 'x-key: [secret], Basic [secret], {"p":"[secret]"}, [secret] [secret] [secret]');
});

test('a token is found without its scheme', () => {
  const value = secret('Splunk 0f0e-11aa');
  const redact = redactor({ ...plain, auth: { kind: 'header', name: 'authorization', value } }, now);
  assert.equal(redact('no token 0f0e-11aa; Splunk 0f0e-11aa'), 'no token [secret]; [secret]');
  const bearer = redactor({ ...plain, auth: { kind: 'bearer', token: secret('tok-en-1') } }, now);
  assert.equal(bearer('Bearer tok-en-1'), 'Bearer [secret]');
});

test('a secret that the excerpt would cut is gone whole', () => {
  const redact = redactor({ ...plain, auth: { kind: 'bearer', token: secret('s3cr3t'.repeat(10)) } }, now);
  const body = `${'x'.repeat(290)}${'s3cr3t'.repeat(10)}`;
  const { reason } = judgeStatus(answer(401, body), { now: Date.now, redact }) as { reason: string };
  assert.doesNotMatch(reason, /s3c/);
});

test('texts too short for a secret leave the reason readable', () => {
  const redact = redactor({ ...plain, url: secret('https://x.example/?a=1'), headers: { a: secret('no') } }, now);
  assert.equal(redact('no index 11'), 'no index 11');
});

test('the URL is told by its origin only, and a proxy by nothing', () => {
  const redact = redactor({ ...plain, proxy: secret('http://agent:pro%21xy@proxy.example:3128') }, now);
  assert.equal(redact('Cannot POST /hooks/path%20secret'), 'Cannot POST [secret]');
  assert.equal(redact('no route: /hooks/path secret?key=query%2Fsecret'), 'no route: [secret][secret]');
  assert.equal(
    redact(`407 Basic ${Buffer.from('agent:pro!xy').toString('base64')} pro!xy`),
    '407 Basic [secret] [secret]',
  );
});

test('secrets are read again after a second, not for every reason', () => {
  let reads = 0;
  let time = 0;
  const token: Secret = {
    reveal: () => {
      reads += 1;
      return `token-${reads}`;
    },
  };
  const redact = redactor({ ...plain, auth: { kind: 'bearer', token } }, () => time);
  for (let count = 0; count < 1000; count += 1) assert.equal(redact('token-1'), '[secret]');
  assert.equal(reads, 1);
  time = 1000;
  assert.equal(redact('token-2'), '[secret]');
});
