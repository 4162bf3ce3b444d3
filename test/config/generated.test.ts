import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Config } from '../../src/config/types.ts';
import { firstFileSink } from './parse.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What the examples take from the environment. */
const ENV = { AUDITAIL_HOME: '/srv/auditail', AUDITAIL_LOG: '/var/log/audit.log', SPLUNK_TOKEN: 'x' };

function parseFile(file: string): Config {
  return parseConfig(readFileSync(path.join(ROOT, file), 'utf8'), { file, env: ENV, cores: 4 });
}

test('the schema for editors and the reference are those of the schema', () => {
  const { status, stderr } = spawnSync(process.execPath, ['config/generate.ts', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

test('the commented configuration says exactly the defaults', () => {
  assert.deepEqual(parseFile('config/auditail.yaml'), parseConfig('', { file: 'f', env: {}, cores: 4 }));
});

test('every example is valid', () => {
  const examples = globSync('config/examples/*.yaml', { cwd: ROOT });
  assert.ok(examples.length >= 6);
  const types = examples.flatMap((example) => parseFile(example).sinks.map(({ type }) => type));
  assert.deepEqual([...new Set(types)].sort(), ['file', 'http']);
});

test('the example for those who come from fluentd keeps its names', () => {
  const config = parseFile('config/examples/fluentd-compatible.yaml');
  assert.equal(config.rewriteMissing, '${tag}.none');
  assert.equal(firstFileSink(config)?.path, '/var/log/td-agent/audit/audit-${tag[1..]}.%Y%m%d%H.log.gz');
});

test('yaml files name a schema that is there', () => {
  for (const file of globSync('config/{,examples/}*.yaml', { cwd: ROOT })) {
    const named = /\$schema=(\S+)/.exec(readFileSync(path.join(ROOT, file), 'utf8'))?.[1];
    assert.ok(named !== undefined, file);
    const schema = readFileSync(path.resolve(ROOT, path.dirname(file), named), 'utf8');
    assert.equal(JSON.parse(schema).title, 'auditail configuration');
  }
});
