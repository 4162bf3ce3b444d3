import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FileCalls } from './file-calls.ts';
import { SourceHarness } from './source-harness.ts';

const SHORT = '{"t":1,"n":1}';
const LONG = `{"t":2,"long":"${'x'.repeat(5000)}"}`;

test('of a long line whose log is truncated meanwhile comes what was read of it, or nothing, and no empty line', async () => {
  using calls = await FileCalls.intercept();
  let cuts = 0;
  let whole = 0;
  for (let n = 1, isCut = true; isCut; n += 1) {
    await using harness = new SourceHarness({ maxLineBytes: 1000 });
    fs.mkdirSync(path.dirname(harness.log), { recursive: true });
    fs.writeFileSync(harness.log, `${SHORT}\n${LONG}\n`);
    await harness.source.sweep();
    isCut = false;
    calls.before((call, count) => {
      if (call !== 'handle.read' || count < n || isCut) return;
      isCut = true;
      fs.truncateSync(harness.log, 0);
    });
    while (await harness.source.poll());
    calls.before(undefined);
    if (isCut) cuts += 1;
    await harness.settle();
    for (const line of harness.taken) {
      assert.notEqual(line, '', `truncated before call ${n}`);
      assert.ok(line === SHORT || LONG.startsWith(line), `truncated before call ${n}: ${line.slice(0, 40)}`);
    }
    if (harness.taken.includes(LONG)) whole += 1;
    fs.appendFileSync(harness.log, '{"t":3,"after":true}\n');
    await harness.settle();
    assert.equal(harness.taken.at(-1), '{"t":3,"after":true}');
  }
  assert.ok(cuts > 3 && whole > 0, `${cuts} moments, ${whole} with the whole line`);
});
