import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithParent } from '../helpers/children.ts';

const PROGRAM = fileURLToPath(new URL('../../demo/demo.ts', import.meta.url));

const root = mkdtempSync(join(tmpdir(), 'auditail-demo-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** An agent that does nothing but note its process id. */
function idleAgent(pids: string, code: string): string {
  const program = join(root, 'idle.mjs');
  writeFileSync(
    program,
    `import { writeFileSync } from 'node:fs';
     writeFileSync(${JSON.stringify(`${pids}/`)} + process.pid, '');
     ${code}`,
  );
  return program;
}

/** Processes, this test's children's children included, that have this text in their command line. */
function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    });
}

async function outputMatching(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    if (pattern.test(text)) return text;
  }
  throw new Error(`the demo ended without ${pattern}: ${text}`);
}

describe('demo/demo.ts', () => {
  test('explains itself, and what is wrong with its arguments', () => {
    const help = spawnSync(process.execPath, [PROGRAM, '--help'], { encoding: 'utf8' });
    assert.equal(help.status, 0);
    for (const option of ['--events', '--seed', '--keep', '--http', '--help']) assert.ok(help.stdout.includes(option));
    for (const args of [['--events', 'many'], ['--events', '5'], ['--speed', '1'], ['--seed=-1']]) {
      const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, /^demo: .+\nTry npm run demo -- --help\n$/);
    }
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`ends its processes and removes its directory on ${signal}`, async () => {
      const temporary = join(root, signal);
      const pids = join(root, `${signal}-pids`);
      mkdirSync(temporary);
      mkdirSync(pids);
      const child = spawn(process.execPath, [PROGRAM, '--events', '20000', '--seed', '1'], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, TMPDIR: temporary, AUDITAIL_BIN: idleAgent(pids, 'setInterval(() => {}, 1000);') },
      });
      endWithParent(child);
      await outputMatching(child, /kill -9/);
      assert.ok(processesWith(temporary).length >= 1, 'the writer runs');
      child.kill(signal);
      const [code] = await once(child, 'exit');
      assert.equal(code, signal === 'SIGINT' ? 130 : 143);
      assert.deepEqual(readdirSync(temporary), []);
      // They are killed for certain, but gone a moment later.
      const end = performance.now() + 5000;
      while (processesWith(temporary).length > 0 && performance.now() < end) await sleep(5);
      assert.deepEqual(processesWith(temporary), []);
      assert.ok(readdirSync(pids).length >= 1);
    });
  }

  test('fails, and quotes the agent, when the agent ends by itself', () => {
    const temporary = join(root, 'crash');
    mkdirSync(temporary);
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, '--events', '1000', '--seed', '1'], {
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: temporary, AUDITAIL_BIN: idleAgent(temporary, "throw new Error('out of luck');") },
    });
    assert.equal(status, 1);
    assert.match(stderr, /^demo: the agent ended by itself \(1\)[\s\S]+out of luck/);
  });

  test('loses nothing on its way to receivers that fail, and leaves nothing behind', { timeout: 180_000 }, async () => {
    const temporary = join(root, 'http');
    mkdirSync(temporary);
    const child = spawn(process.execPath, [PROGRAM, '--http', '--events', '5000', '--seed', '1'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: temporary },
    });
    endWithParent(child);
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (output += String(text)));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output);
    assert.match(output, /\ndemo: 5000 written, 5000 archived, 0 lost, 0 duplicated, \d+ rotations, 7 kills\n/);
    assert.match(output, /\ndemo http: elasticsearch: 5000 written, 5000 stored, 0 lost, 0 duplicated\n/);
    assert.match(output, /\ndemo http: ndjson: 5000 written, \d+ received, 0 lost, \d+ duplicated\n$/);
    assert.match(output, /elasticsearch after [\d,]+ events: port closed\n/);
    assert.match(output, /ndjson after [\d,]+ events: port closed\n/);
    assert.deepEqual(readdirSync(temporary), []);
  });
});
