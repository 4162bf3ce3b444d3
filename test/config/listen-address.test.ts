import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatListenAddress, parseListenAddress } from '../../src/config/listen-address.ts';
import { parse } from './parse.ts';

test('an address is host:port, [ipv6]:port or unix:/path, and is written as it was read', () => {
  const addresses = {
    '127.0.0.1:9477': { kind: 'tcp', host: '127.0.0.1', port: 9477 },
    'localhost:0': { kind: 'tcp', host: 'localhost', port: 0 },
    '[::1]:65535': { kind: 'tcp', host: '::1', port: 65_535 },
    '[fe80::1%eth0]:80': { kind: 'tcp', host: 'fe80::1%eth0', port: 80 },
    'unix:/run/auditail/admin.sock': { kind: 'unix', path: '/run/auditail/admin.sock' },
  };
  for (const [text, address] of Object.entries(addresses)) {
    assert.deepEqual(parseListenAddress(text), address);
    assert.equal(formatListenAddress(parseListenAddress(text)!), text);
  }
});

test('anything else is none', () => {
  const wrong = [
    '',
    'off',
    '9477',
    ':9477',
    'host:',
    'host:65536',
    'host:1e3',
    '::1:80',
    '[::1]',
    'a b:1',
    'http://h:1',
  ];
  const paths = [
    'unix:',
    'unix:a',
    'unix:/a/',
    'unix:/a\nb',
    `unix:/${'x'.repeat(90)}`,
    `unix:/${'\u00e9'.repeat(45)}`,
  ];
  for (const text of [...wrong, ...paths]) assert.equal(parseListenAddress(text), undefined, text);
  assert.ok(parseListenAddress(`unix:/${'x'.repeat(89)}`) !== undefined);
});

test('off is no listener', () => {
  assert.equal(parse('admin: { listen: off }').admin.listen, undefined);
});
