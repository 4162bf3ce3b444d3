import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { IO_FAULTS } from '../../torture/io-faults.ts';
import { makePlan, type Plan } from '../../torture/plan.ts';
import { ROTATION_STYLES } from '../helpers/rotating-writer.ts';

const PROGRAM = fileURLToPath(new URL('../../torture/torture.ts', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function torture(...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [PROGRAM, ...args])) };
  } catch (error) {
    return error as Ended;
  }
}

function kinds(steps: Plan['log' | 'agent' | 'host']): Set<string> {
  return new Set(steps.map(({ kind }) => kind));
}

test('a seed gives one plan, another seed another one', () => {
  assert.deepEqual(makePlan(7, 2), makePlan(7, 2));
  assert.notDeepEqual(makePlan(7, 2).log, makePlan(8, 2).log);
});

test('a longer plan begins like a shorter one', () => {
  const [short, long] = [makePlan(7, 0.5), makePlan(7, 2)];
  for (const track of ['log', 'agent', 'host', 'elasticsearch', 'ndjson'] as const) {
    assert.ok(short[track].length < long[track].length);
    assert.deepEqual(long[track].slice(0, short[track].length), short[track]);
  }
});

test('a longer plan has everything in it', () => {
  const plan = makePlan(1, 5);
  const styles = new Set(plan.log.flatMap((step) => (step.kind === 'rotate' ? step.style : [])));
  const faults = new Set(plan.host.flatMap((step) => (step.kind === 'file calls fail' ? step.fault : [])));
  assert.deepEqual([...styles].sort(), [...ROTATION_STYLES].sort());
  assert.deepEqual([...faults].sort(), [...IO_FAULTS].sort());
  assert.equal(kinds(plan.log).size, 14);
  assert.equal(kinds(plan.agent).size, 8);
  assert.equal(kinds(plan.host).size, 6);
  for (const track of [plan.log, plan.agent, plan.host, plan.elasticsearch, plan.ndjson]) {
    assert.ok(track.length > 0 && track.every(({ atMs }) => atMs >= 0 && atMs < 300_000));
    assert.deepEqual(
      track.map(({ atMs }) => atMs),
      track.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
    );
  }
});

test('--plan prints the plan that would be followed', async () => {
  const { code, stdout } = await torture('--seed', '3', '--minutes', '0.5', '--plan');
  assert.equal(code, 0);
  // Through JSON, which leaves out what is undefined.
  assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(makePlan(3, 0.5))));
});

test('--help, and wrong usage', async () => {
  assert.match((await torture('--help')).stdout, /Example: npm run torture/);
  for (const args of [['--seed', 'x'], ['--minutes', '0'], ['--rounds', '1.5'], ['--mystery']]) {
    const { code, stderr } = await torture(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /^torture: .*\nTry npm run torture -- --help\n$/);
  }
});
