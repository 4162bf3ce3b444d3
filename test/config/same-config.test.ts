import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { isSameConfig } from '../../src/config/same-config.ts';
import type { Config } from '../../src/config/types.ts';

const SINK = {
  name: 'es',
  type: 'http',
  format: 'elasticsearch',
  url: 'https://es.example:9200/?key=one',
  headers: { 'x-key': 'one' },
  auth: { basic: { username: 'agent', password: 'one' } },
  tls: { ca_file: '/ca.pem' },
  add: { cluster: 'one' },
};

function parse(sink: Record<string, unknown>, env: Record<string, string> = {}): Config {
  return parseConfig(JSON.stringify({ sinks: [{ ...SINK, ...sink }] }), { file: 'test.yaml', env });
}

test('a configuration that was read twice is the same, written another way too', () => {
  assert.equal(isSameConfig(parse({}), parse({})), true);
  const env = parse({ headers: { 'x-key': '${env:KEY}' }, timeout: '0.5m' }, { KEY: 'one' });
  assert.equal(isSameConfig(env, parse({ timeout: '30s' })), true);
});

test('any other value is another configuration, and no secret hides that', () => {
  const changes = {
    name: { name: 'other' },
    match: { match: 'audit.a' },
    'a secret in the URL': { url: 'https://es.example:9200/?key=two' },
    'a secret header': { headers: { 'x-key': 'two' } },
    'another header': { headers: { 'x-key': 'one', 'x-more': 'one' } },
    'no header': { headers: {} },
    'a password': { auth: { basic: { username: 'agent', password: 'two' } } },
    'a kind of authentication': { auth: { bearer: 'one' } },
    'no authentication': { auth: undefined },
    proxy: { proxy: 'http://proxy:3128' },
    'a TLS file': { tls: { ca_file: '/other.pem' } },
    'a batch': { batch: { events: 1999 } },
    'a field': { add: { cluster: 'two' } },
    'the type of a field': { add: { cluster: 1 } },
  };
  for (const [what, change] of Object.entries(changes)) {
    assert.equal(isSameConfig(parse({}), parse(change)), false, what);
    assert.equal(isSameConfig(parse(change), parse({})), false, what);
    assert.equal(isSameConfig(parse(change), parse(change)), true, what);
  }
});

test('a secret in a file is the same as long as it is the same file: what that holds is read when it changes', () => {
  const file = (name: string) => parse({ auth: { bearer_file: name } });
  assert.equal(isSameConfig(file('/run/token'), file('/run/token')), true);
  assert.equal(isSameConfig(file('/run/token'), file('/run/other')), false);
  assert.equal(isSameConfig(file('/run/token'), parse({ auth: { bearer: '/run/token' } })), false);
});
