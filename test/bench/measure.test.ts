import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Contender } from '../../bench/harness/contender.ts';
import { measure } from '../../bench/harness/measure.ts';
import { takeTurns } from '../../bench/harness/take-turns.ts';
import { removeWithParent } from '../helpers/children.ts';

const skip = process.platform === 'linux' ? false : 'looks at processes through /proc, which only Linux has';

function node(script: string): string[] {
  return [process.execPath, '-e', script];
}

function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'auditail-measure-'));
  removeWithParent(directory);
  return directory;
}

describe('a measured process', { skip }, () => {
  test('its CPU is counted, its waiting only as time', async () => {
    const busy = await measure({
      command: node('while (process.cpuUsage().user < 4e5);'),
    });
    assert.ok(busy.cpuSeconds > 0.35, `${busy.cpuSeconds} s of CPU`);
    assert.ok(busy.seconds >= busy.cpuSeconds / 2, `${busy.seconds} s`);
    const waiting = await measure({ command: node('setTimeout(() => {}, 1000)') });
    assert.ok(waiting.seconds >= 1, `${waiting.seconds} s`);
    assert.ok(waiting.cpuSeconds < waiting.seconds / 2, `${waiting.cpuSeconds} s of CPU in ${waiting.seconds} s`);
  });

  test('memory is the most that it ever had, also when it gave it back', async () => {
    const script = 'let b = Buffer.alloc(2e8, 1); b = undefined; gc(); setTimeout(() => {}, 300)';
    const { peakBytes } = await measure({ command: [process.execPath, '--expose-gc', '-e', script] });
    assert.ok(peakBytes > 2e8 && peakBytes < 6e8, `${peakBytes} bytes`);
  });

  test('what it prints is in the file', async () => {
    const stdout = join(scratchDirectory(), 'output');
    await measure({ command: node('process.stdout.write("all of it")'), stdout });
    assert.equal(readFileSync(stdout, 'utf8'), 'all of it');
  });

  test('a failure is an error that says why', async () => {
    await assert.rejects(measure({ command: node('console.error("disk is full"); process.exit(3)') }), {
      message: /failed \(3\): disk is full/,
    });
    await assert.rejects(measure({ command: ['/no/such/program'] }), /ENOENT/);
  });

  test('one without an end is stopped when it is done', async () => {
    const marker = join(scratchDirectory(), 'done');
    const script = `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);
      setTimeout(() => require('fs').writeFileSync(${JSON.stringify(marker)}, ''), 200)`;
    const { seconds } = await measure({ command: node(script), stopWhen: () => existsSync(marker) });
    assert.ok(seconds >= 0.2, `${seconds} s`);
  });
});

describe('turns', { skip }, () => {
  function contender(name: string, events: string[], more: Partial<Contender> = {}): Contender {
    return {
      name,
      prepare(directory) {
        assert.deepEqual(readdirSync(directory), [], 'each run has an empty directory');
        events.push(name);
        return { command: node(`require('fs').writeFileSync(${JSON.stringify(join(directory, 'file'))}, '')`) };
      },
      ...more,
    };
  }

  test('all run once in each round; who is missing or sits out does not', async () => {
    const events: string[] = [];
    const check = async (directory: string): Promise<void> => {
      assert.ok(existsSync(join(directory, 'file')));
      events.push('check');
    };
    const contenders = [
      contender('a', events, { check }),
      contender('b', events, { maxRounds: 1 }),
      contender('absent', events, { missing: 'not installed' }),
    ];
    const runs = await takeTurns(contenders, { rounds: 2, scratch: scratchDirectory(), tell: () => {} });
    assert.deepEqual(events, ['a', 'check', 'b', 'a']);
    assert.deepEqual(
      [...runs].map(([name, { seconds }]) => [name, seconds.length]),
      [
        ['a', 2],
        ['b', 1],
      ],
    );
  });

  test('a contender that lost a part of the input ends it all', async () => {
    const check = async (): Promise<void> => {
      throw new Error('the archive holds 1 of 2 bytes');
    };
    const turns = { rounds: 1, scratch: scratchDirectory(), tell: () => {} };
    await assert.rejects(takeTurns([contender('a', [], { check })], turns), /holds 1 of 2 bytes/);
  });
});
