/** What is called growth of a process, and what is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../bench/random.ts';
import type { AgentStatus } from '../../src/admin/agent-status.ts';
import { growthOf, type QuietPoint } from '../../torture/check/growth.ts';
import { checkUsage } from '../../torture/check/usage.ts';
import { Violations } from '../../torture/check/violation.ts';
import { isQuiet, type Usage } from '../../torture/probe.ts';

const MIB = 1024 * 1024;
const POINTS = 66;
const STEP_MS = 300;

/** A process that needs its first third to reach its size, and breathes by 20 MiB. */
function life(change: (n: number) => { mib?: number; descriptors?: number } = () => ({}), seed = 1): QuietPoint[] {
  const random = new Random(seed);
  return Array.from({ length: POINTS }, (_, n) => {
    const { mib = 0, descriptors = 0 } = change(n);
    const warm = 100 + Math.min(n, POINTS / 3) * 8;
    return {
      atMs: n * STEP_MS,
      residentBytes: (warm + random.below(20) + mib) * MIB,
      otherDescriptors: 30 + random.below(3) + descriptors,
    };
  });
}

function what(points: readonly QuietPoint[]): string[] | undefined {
  return growthOf(points)?.map((growth) => growth.what);
}

describe('growth', () => {
  test('a process that reaches its size, and breathes, does not grow', () => {
    for (let seed = 1; seed <= 200; seed++) assert.deepEqual(what(life(undefined, seed)), []);
  });

  test('a heap that fills until it is collected, again and again, is no growth', () => {
    for (let cycle = 2; cycle <= 19; cycle++) {
      assert.deepEqual(what(life((n) => ({ mib: 4 * (n % cycle) }))), [], `a collection each ${cycle} works`);
    }
  });

  test('what becomes larger once and stays so is no growth, wherever that is', () => {
    for (let step = 0; step < POINTS; step++) {
      assert.deepEqual(what(life((n) => ({ mib: n < step ? 0 : 45 }))), [], `a step at ${step}`);
    }
  });

  test('of a life too short for a heap to be collected, memory says nothing, and descriptors do', () => {
    const young = life((n) => ({ mib: 5 * n, descriptors: n })).slice(0, 24);
    assert.deepEqual(what(young), ['descriptors beyond those of logs and archives']);
  });

  test('memory that grows all the time is found, be it by two MiB at a time', () => {
    for (let seed = 1; seed <= 200; seed++) {
      assert.deepEqual(what(life((n) => ({ mib: 2 * n }), seed)), ['bytes of resident memory']);
    }
  });

  test('one descriptor for each work is found', () => {
    for (let seed = 1; seed <= 200; seed++) {
      assert.deepEqual(what(life((n) => ({ descriptors: n }), seed)), [
        'descriptors beyond those of logs and archives',
      ]);
    }
  });

  test('a life that was short, or at rest too rarely, says nothing', () => {
    const growing = life((n) => ({ mib: 50 * n, descriptors: n }));
    assert.equal(growthOf(growing.slice(0, 17)), undefined);
    assert.equal(growthOf(growing.map((point) => ({ ...point, atMs: point.atMs / 10 }))), undefined);
    assert.equal(growthOf([]), undefined);
  });
});

describe('the usage of all processes', () => {
  function looks(pid: number, points: readonly QuietPoint[], changes: Partial<Usage> = {}): Usage[] {
    return points.map(({ atMs, residentBytes, otherDescriptors }) => ({
      ...{ pid, atMs, residentBytes, descriptors: otherDescriptors + 10, files: 10, explained: 10, isQuiet: true },
      ...changes,
    }));
  }

  function found(usages: readonly Usage[]) {
    const violations = new Violations();
    const { judged, unjudged } = checkUsage(usages, violations);
    return { rules: [...violations.counts], judged, unjudged };
  }

  test('each process is judged by itself, and it is told of how many nothing can be said', () => {
    const usages = [
      ...looks(1, life()),
      ...looks(2, life().slice(0, 5)),
      ...looks(
        3,
        life((n) => ({ mib: 2 * n })),
      ),
    ];
    assert.deepEqual(found(usages), { rules: [['no growth', 1]], judged: 2, unjudged: 1 });
  });

  test('what it takes while it works is no growth', () => {
    const busy = looks(
      1,
      life((n) => ({ mib: 2 * n })),
      { isQuiet: false },
    );
    assert.deepEqual(found([...looks(1, life()), ...busy]), { rules: [], judged: 1, unjudged: 0 });
  });

  test('open files at rest that the status does not tell of', () => {
    const held = { descriptors: 60, files: 11 };
    assert.deepEqual(found(looks(1, life(), held)), { rules: [['bounded', 1]], judged: 1, unjudged: 0 });
    assert.deepEqual(found(looks(1, life(), { ...held, isQuiet: false })).rules, []);
  });

  test('an agent that has not looked at its logs yet is not at rest, though it knows of nothing to be read', () => {
    const status = {
      ...{ phase: 'running', commits: { failures_in_a_row: 0 }, memory: { archive_bytes_in_flight: 0 } },
      ...{ sources: [{ lag: [] }], sinks: [] },
    };
    const after = (unready: string[]) => isQuiet({ ...status, unready } as unknown as AgentStatus);
    assert.equal(after(['the agent is starting']), false);
    assert.equal(after(['source audit: cannot read a part']), true);
    assert.equal(after([]), true);
  });

  test('descriptors that nothing explains, and memory beyond its limit', () => {
    assert.deepEqual(found(looks(1, life(), { descriptors: 101, isQuiet: false })).rules, [['bounded', 1]]);
    assert.deepEqual(found(looks(1, life().slice(0, 1), { residentBytes: 451 * MIB })).rules, [['bounded', 1]]);
  });
});
