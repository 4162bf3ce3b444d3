import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger, type Pending } from '../../src/checkpoint/ledger.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';

interface Line {
  readonly segment: number;
  readonly offset: number;
  taken: boolean;
}

const SEGMENTS = [1, 2, 3] as const;

const op = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('add' as const), segment: fc.constantFrom(...SEGMENTS) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('skip' as const), segment: fc.constantFrom(...SEGMENTS) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('handed' as const), segment: fc.constantFrom(...SEGMENTS) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('open' as const) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('take' as const), which: fc.nat(20) }) },
);

test('taken is what was handed up to the first line that is not taken, in whatever order groups are', () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 120 }), (ops) => {
      const ledger = new Ledger();
      const read = new Map<number, number>(SEGMENTS.map((segment) => [segment, 0]));
      const groups: { pending: Pending; lines: Line[] }[] = [{ pending: ledger.open(), lines: [] }];
      const lines: Line[] = [];
      for (const segment of SEGMENTS) ledger.restart(segment, 0);
      for (const one of ops) {
        if (one.op === 'open') groups.push({ pending: ledger.open(), lines: [] });
        else if (one.op === 'take') {
          const [group] = groups.length > 1 ? groups.splice(one.which % (groups.length - 1), 1) : [];
          if (group === undefined) continue;
          ledger.taken(group.pending);
          for (const line of group.lines) line.taken = true;
        } else if (one.op === 'handed') ledger.handed(one.segment, read.get(one.segment)!);
        else {
          const offset = read.get(one.segment)!;
          read.set(one.segment, offset + 10);
          if (one.op === 'skip') continue;
          const line = { segment: one.segment, offset, taken: false };
          lines.push(line);
          const { pending, lines: own } = groups.at(-1)!;
          ledger.add(pending, one.segment, offset);
          own.push(line);
        }
        for (const segment of SEGMENTS) {
          const untaken = lines.filter((line) => line.segment === segment && !line.taken).map(({ offset }) => offset);
          const handed = ledger.handedTo(segment)!;
          assert.equal(ledger.takenTo(segment), Math.min(handed, ...untaken));
        }
      }
    }),
    fuzz(500),
  );
});

test('what was handed in a step that is not over yet does not count, though it is taken already', () => {
  const ledger = new Ledger();
  ledger.restart(1, 100);
  const group = ledger.open();
  ledger.add(group, 1, 100);
  ledger.taken(group);
  assert.equal(ledger.takenTo(1), 100);
  ledger.handed(1, 150);
  assert.equal(ledger.takenTo(1), 150);
});

test('lines of a log that was cut back hold the place, also in a group that has later ones', () => {
  const ledger = new Ledger();
  ledger.restart(1, 900);
  const group = ledger.open();
  ledger.add(group, 1, 900);
  ledger.handed(1, 1000);
  ledger.restart(1, 500);
  ledger.add(group, 1, 500);
  ledger.handed(1, 1000);
  assert.equal(ledger.takenTo(1), 500);
  ledger.taken(group);
  assert.equal(ledger.takenTo(1), 1000);
});

test('a group is taken once, and changes are counted', () => {
  const ledger = new Ledger();
  const group = ledger.open();
  ledger.add(group, 1, 0);
  ledger.handed(1, 10);
  const { changes } = ledger;
  ledger.handed(1, 10);
  assert.equal(ledger.changes, changes, 'handing nothing is no change');
  ledger.taken(group);
  ledger.taken(group);
  assert.equal(ledger.changes, changes + 1);
});

test('a segment that is forgotten, or was never handed, has no place', () => {
  const ledger = new Ledger();
  assert.deepEqual([ledger.handedTo(7), ledger.takenTo(7)], [undefined, undefined]);
  ledger.handed(7, 10);
  ledger.forget(7);
  assert.deepEqual([ledger.handedTo(7), ledger.takenTo(7)], [undefined, undefined]);
});
