import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { jsonBody } from '../../../src/sink/http/judge-status.ts';
import { answer } from './answers.ts';

const MODULE = path.resolve(import.meta.dirname, '../../../src/sink/http/judge-status.ts');

test('an object is read, and nothing else', () => {
  assert.deepEqual(jsonBody(answer(200, ' {"a":[1,"\\u00e9"]}\n')), { a: [1, 'é'] });
  for (const body of ['', '[]', 'null', '"a"', '{', '{"a":1}}', "{'a':1}", '\ufeff{}']) {
    assert.equal(jsonBody(answer(200, body)), undefined, body);
  }
  assert.equal(jsonBody(answer(200, '{}', { complete: false })), undefined);
});

test('a body that kills a Node whose JSON.parse is given it does not kill the agent', () => {
  // Node 26.10 dies after some hundred of these, mostly of SIGSEGV: so not in the process of the test.
  const program = `
    import { jsonBody } from ${JSON.stringify(MODULE)};
    const body = Buffer.from('{"a":["\u20ac",'.repeat(20_000) + '1 1');
    for (let n = 0; n < 1000; n += 1) {
      if (jsonBody({ status: 200, headers: {}, body, complete: true, isTooLong: false }) !== undefined) throw new Error('read');
    }
    process.stdout.write('alive');`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 60_000,
  });
  assert.deepEqual([status, signal, stdout.toString()], [0, null, 'alive'], stderr.toString());
});

test('an answer of nothing but brackets costs some time, and bounded memory', () => {
  for (const bracket of ['{"a":', '[', '{"\u20ac":[']) {
    const before = process.memoryUsage().rss;
    const started = performance.now();
    const body = Buffer.alloc(4 * 1024 * 1024, bracket);
    assert.equal(jsonBody(answer(200, '', { body })), undefined);
    assert.ok(performance.now() - started < 10_000);
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024, bracket);
  }
});
