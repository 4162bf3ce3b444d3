import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpSinkConfig } from '../../../src/config/types.ts';
import { AuditailError } from '../../../src/errors.ts';
import { requestHeaders } from '../../../src/sink/http/request-headers.ts';
import { TransportError } from '../../../src/sink/http/transport.ts';
import { secret, sinkConfig } from './http-harness.ts';

function headers(overrides: Partial<HttpSinkConfig>): Record<string, string> {
  return requestHeaders(sinkConfig(overrides), 'application/json');
}

test('basic, bearer and header authentication', () => {
  const basic = headers({ auth: { kind: 'basic', username: 'elastic', password: secret('pä:ss') } });
  assert.equal(Buffer.from(basic.authorization!.replace('Basic ', ''), 'base64').toString(), 'elastic:pä:ss');
  assert.equal(headers({ auth: { kind: 'bearer', token: secret('abc') } }).authorization, 'Bearer abc');
  const splunk = headers({ auth: { kind: 'header', name: 'Authorization', value: secret('Splunk abc') } });
  assert.equal(splunk.authorization, 'Splunk abc');
  assert.equal(headers({ auth: { kind: 'header', name: 'X-Api-Key', value: secret('k') } })['x-api-key'], 'k');
  assert.equal('authorization' in headers({}), false);
});

test('configured headers go before the usual ones, whatever their case, and authentication before both', () => {
  const given = headers({
    headers: {
      'Content-Type': secret('application/json; charset=utf-8'),
      Authorization: secret('old'),
      'X-A': secret('é'),
    },
    auth: { kind: 'bearer', token: secret('new') },
  });
  assert.deepEqual(given, {
    'user-agent': 'auditail',
    'accept-encoding': 'identity',
    'content-type': 'application/json; charset=utf-8',
    authorization: 'Bearer new',
    'x-a': 'é',
  });
});

test('a secret that cannot be read is in the way until somebody mends it', () => {
  const reveal = () => {
    throw new AuditailError('SECRET_FILE', 'cannot read /etc/token', { hint: 'Check its rights' });
  };
  assert.throws(
    () => headers({ auth: { kind: 'bearer', token: { reveal } } }),
    (error) =>
      error instanceof TransportError &&
      error.kind === 'untrusted' &&
      error.message === 'auth.bearer cannot be read: cannot read /etc/token. Check its rights',
  );
});

test('a secret that fits into no header is not shown, and cannot add headers', () => {
  for (const value of ['hunter2\r\nx-admin: 1', 'hunter2\n', 'hunter2\u0000', 'hunter2 ✓']) {
    assert.throws(
      () => headers({ headers: { 'X-Key': secret(value) } }),
      (error) => error instanceof TransportError && error.kind === 'untrusted' && !error.message.includes('hunter2'),
    );
  }
});

test('headers of the connection, and names that are none, cannot be configured', () => {
  for (const name of ['Transfer-Encoding', 'connection', 'Expect', 'content-length', 'X Key', 'X-Key:', '', 'ü']) {
    assert.throws(
      () => headers({ headers: { [name]: secret('hunter2') } }),
      (error) => error instanceof TransportError && error.kind === 'untrusted' && !error.message.includes('hunter2'),
    );
  }
});
