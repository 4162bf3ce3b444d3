import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { errorCode } from '../../../src/errors.ts';
import { Gate } from '../../../src/sink/file/gate.ts';

/** Work that begins when the gate lets it in, and ends when the test says so. */
class Work {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  give(gate: Gate, name: string, urgent = false): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(name, resolve);
    const work = () => {
      this.begun.push(name);
      return promise;
    };
    return gate.run(work, { urgent });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)!();
    await turn();
  }
}

test('no more runs at once than the gate is wide, and the urgent go first, each in the order in which they came', async () => {
  const gate = new Gate(2);
  const work = new Work();
  const all = [
    work.give(gate, 'a'),
    work.give(gate, 'b'),
    work.give(gate, 'c'),
    work.give(gate, 'd'),
    work.give(gate, 'urgent 1', true),
    work.give(gate, 'urgent 2', true),
  ];
  await turn();
  assert.deepEqual(work.begun, ['a', 'b']);
  for (const [ended, next] of [
    ['b', 'urgent 1'],
    ['a', 'urgent 2'],
    ['urgent 2', 'c'],
    ['c', 'd'],
  ] as const) {
    await work.end(ended);
    assert.equal(work.begun.at(-1), next);
  }
  await work.end('d');
  await work.end('urgent 1');
  await Promise.all(all);
});

test('a gate that is shut turns both kinds away and waits for what runs', async () => {
  const gate = new Gate(1);
  const work = new Work();
  const first = work.give(gate, 'first');
  const turnedAway = [work.give(gate, 'second'), work.give(gate, 'urgent', true)].map((one) =>
    assert.rejects(one, (error) => errorCode(error) === 'ARCHIVE_REWOUND'),
  );
  const shut = gate.shut(10_000);
  await Promise.all(turnedAway);
  await assert.rejects(work.give(gate, 'late', true), (error) => errorCode(error) === 'ARCHIVE_REWOUND');
  await work.end('first');
  await Promise.all([first, shut]);
  assert.deepEqual(work.begun, ['first']);
});
