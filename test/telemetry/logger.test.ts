import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const LOGGER = path.resolve(import.meta.dirname, '../../src/telemetry/logger.ts');

/** A process that logs as `body` says with `log`; it has `out` to say something on stdout. */
function logging(t: TestContext, options: { level: string; format: string }, body: string): ChildProcess {
  const program = `
    import { createLogger } from ${JSON.stringify(LOGGER)};
    const log = createLogger(${JSON.stringify(options)});
    const out = (text) => process.stdout.write(text);
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('a stalled stderr does not stop the program: it goes on, and lines are dropped', async (t) => {
  const child = logging(
    t,
    { level: 'info', format: 'json' },
    `for (let n = 0; n < 20_000; n += 1) {
       log.info({ n, pad: 'x'.repeat(500) }, 'a line');
       if (n % 1000 === 0) await new Promise(setImmediate);
     }
     out('done ' + (process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed));`,
  );
  // Nobody reads stderr.
  const [said] = (await Promise.race([once(child.stdout!, 'data'), deadline('it stood still')])) as [Buffer];
  const [, bytes] = /^done (\d+)$/.exec(String(said)) ?? [];
  assert.ok(Number(bytes) < 64 * 1024 * 1024, `10 MB of lines are held in ${bytes} bytes`);
});

test('after a stall, whole lines come again', async (t) => {
  const child = logging(
    t,
    { level: 'info', format: 'json' },
    `for (let n = 0; n < 10_000; n += 1) log.info({ n, pad: 'x'.repeat(500) }, 'a line');
     out('flooded');
     setTimeout(() => log.info('after the stall'), 1500);
     setTimeout(() => undefined, 2000);`,
  );
  await Promise.race([once(child.stdout!, 'data'), deadline('it stood still')]);
  const lines = (await text(child.stderr!)).trimEnd().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as { n?: number; message: string });
  assert.ok(parsed.length < 10_000, 'some were dropped');
  assert.equal(parsed.at(-1)!.message, 'after the stall');
});

test('the level holds back what is below it; each line is one JSON object with level, time and message', async (t) => {
  const child = logging(
    t,
    { level: 'warn', format: 'json' },
    `log.info('not this'); log.warn({ path: '/log' }, 'this'); log.error({ error: 'a\\nb' }, 'and this');`,
  );
  const lines = (await text(child.stderr!)).trimEnd().split('\n');
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(lines.length, 2);
  assert.deepEqual(Object.keys(first!), ['level', 'time', 'path', 'message']);
  assert.deepEqual([first!.level, first!.path, first!.message], ['warn', '/log', 'this']);
  assert.equal(new Date(String(first!.time)).toISOString(), first!.time);
  assert.equal(second!.error, 'a\nb');
});

test('text format goes to stderr as text', async (t) => {
  const child = logging(t, { level: 'info', format: 'text' }, `log.info({ path: '/log' }, 'reading');`);
  assert.match(await text(child.stderr!), /^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}reading path=\/log\n$/);
});

async function deadline(message: string): Promise<never> {
  await delay(30_000, undefined, { ref: false });
  throw new Error(message);
}
