// A real receiver that is away for a while: what it misses waits in the spool, also through a crash of the agent.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { AuditEvents } from '../../bench/audit-events.ts';
import { findNginx } from './nginx.ts';
import { victoriaPairs } from './pairs.ts';
import { findBuilt } from './programs.ts';
import { PATIENCE_MS, Site } from './site.ts';
import { VictoriaLogs } from './victoria-logs.ts';

const EVENTS = 6000;
/** Lines that are written while the receiver is there. */
const BEFORE = 1500;
const MINUTE_MS = 60_000;

test('what a receiver misses while it is away is spooled and reaches it afterwards', async (t) => {
  const nginx = findNginx();
  if (nginx === undefined) return t.skip('there is no nginx: node test/servers/build.ts says why');
  const program = findBuilt('victoria-logs');
  if (program === undefined) return t.skip('victoria-logs is not built: node test/servers/build.ts says why');
  await using server = await VictoriaLogs.start(program);
  const pairs = victoriaPairs(server);
  await using site = await Site.start(nginx, pairs);
  const startMs = Date.now() - 10 * MINUTE_MS;
  const lines = [...new AuditEvents({ count: EVENTS, startMs, spanMs: 9 * MINUTE_MS })];

  const first = site.startAgent();
  site.write(lines.slice(0, BEFORE));
  await first.waitFor('requests of every sink', () => pairs.every((pair) => site.accepted(pair) > 0), PATIENCE_MS);
  await server.end();
  site.write(lines.slice(BEFORE, 3000));
  const rotated = site.writer.rotate('rename');
  site.write(lines.slice(3000, 4500));
  await first.waitFor(
    'everything to be spooled',
    () => pairs.every((pair) => site.committed(pair) === statSync(site.writer.path).size + statSync(rotated).size),
    PATIENCE_MS,
  );
  await first.kill();

  const second = site.startAgent();
  site.write(lines.slice(4500));
  const answered = pairs.map((pair) => site.answered(pair).length);
  await second.waitFor(
    'further tries',
    () => pairs.every((pair, index) => site.answered(pair).length > answered[index]!),
    PATIENCE_MS,
  );
  await server.startAgain();
  await second.waitFor(
    'every spool to be sent',
    () => pairs.every(({ name }) => second.log.some(({ event, sink }) => event === 'spool_drained' && sink === name)),
    PATIENCE_MS,
  );
  assert.deepEqual(await second.stop(), { code: 0, signal: null });
  const last = await site.runToEnd();
  assert.equal(last.code, 0, JSON.stringify(last.log.at(-1)));

  for (const pair of pairs) {
    const { found, missing, repeated, foreign, mistimed } = await site.tally(pair);
    const refused = site.answered(pair).filter(({ status }) => status >= 300);
    t.diagnostic(`${pair.name}: ${found} stored, ${repeated} more than once, ${refused.length} requests not taken`);
    assert.equal(missing.length, 0, `${pair.name} lacks ${missing.length}, such as ${missing[0]}`);
    assert.deepEqual([...foreign, ...mistimed].slice(0, 3), [], pair.name);
    // A request that was on its way when the receiver ended may have been stored without an answer. The others were in the
    // spool and in the checkpoint before the agent was killed, and nothing was lost on their way.
    assert.ok(repeated <= BEFORE, `${pair.name} has ${repeated} events more than once`);
    // 502 is the proxy's word for a receiver that is away, 499 its note that the client broke off.
    assert.deepEqual(
      refused.filter(({ status }) => status !== 502 && status !== 499),
      [],
      pair.name,
    );
    assert.ok(
      refused.some(({ status }) => status === 502),
      pair.name,
    );
  }
});
