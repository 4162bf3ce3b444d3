import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { pino } from 'pino';
import {
  DeadLetterStore,
  deadLetterPath,
  type KeptLetter,
  type LetterEvent,
} from '../../src/checkpoint/dead-letter-store.ts';
import type { HttpSinkConfig } from '../../src/config/types.ts';
import { AuditailError } from '../../src/errors.ts';
import type { DeadLetterBox } from '../../src/sink/http/dead-letter.ts';
import { HttpOccurrences } from '../../src/telemetry/http-occurrences.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { tempState } from './temp-state.ts';

const NOW = Date.UTC(2026, 0, 15, 12);

class CountedOccurrences extends HttpOccurrences {
  dropped = 0;
  size: [number, number] = [-1, -1];

  constructor() {
    super(new Telemetry(pino({ level: 'silent' })), 'es');
  }

  override deadLettersDropped(events: number): void {
    this.dropped += events;
  }

  override deadLetterSize(events: number, bytes: number): void {
    this.size = [events, bytes];
  }
}

function tempStore(t: TestContext): DeadLetterStore {
  const store = DeadLetterStore.open(tempState(t), 'process');
  t.after(() => store.close());
  return store;
}

function letter(n: number, bytes = 10): { event: LetterEvent; reason: string } {
  const line = Buffer.alloc(bytes, n);
  const event = { tag: `audit.t${n}`, time: NOW + n / 10, line, source: 's', path: '/log', offset: 2 ** 40 + n };
  return { event, reason: `mapper_parsing_exception ${n}` };
}

function boxOf(store: DeadLetterStore, limits: Partial<HttpSinkConfig['deadletter']> = {}, sink = 'es') {
  const occurrences = new CountedOccurrences();
  const box: DeadLetterBox = store.box(
    sink,
    { maxBytes: 10_000, overflow: 'block', ...limits },
    occurrences,
    () => NOW,
  );
  return { box, occurrences };
}

function lettersOf(store: DeadLetterStore, sink = 'es'): KeptLetter[] {
  return store.ids(sink, { limit: 1000 }).map((id) => store.get(id)!);
}

test('a letter is kept as it is, whatever its bytes are', (t) => {
  const store = tempStore(t);
  const bytes = Buffer.from([0, 0xff, 0xfe, 0x80, 10, 34]);
  const given = letter(1);
  const { box, occurrences } = boxOf(store);
  box.add([{ ...given, event: { ...given.event, line: bytes } }, letter(2)]);
  const [kept] = lettersOf(store);
  assert.deepEqual(kept, {
    id: 1,
    sink: 'es',
    putAt: NOW,
    reason: given.reason,
    attempts: 1,
    event: { ...given.event, line: bytes },
  });
  assert.deepEqual(occurrences.size, [2, store.total('es').bytes]);
  assert.equal(store.get(99), undefined);
});

test('letters survive the store, belong to their owner alone, and their ids are never used twice', (t) => {
  const dir = tempState(t);
  fs.mkdirSync(dir, { mode: 0o755 });
  const first = DeadLetterStore.open(dir, 'disk');
  boxOf(first).box.add([letter(1), letter(2)]);
  for (const file of fs.readdirSync(dir)) assert.equal(fs.statSync(path.join(dir, file)).mode & 0o777, 0o600, file);
  assert.equal(first.remove([2, 7]), 1);
  first.close();
  const second = DeadLetterStore.open(dir, 'disk');
  t.after(() => second.close());
  const { box, occurrences } = boxOf(second);
  assert.equal(occurrences.size[0], 1, 'the size is told before anything is added');
  box.add([letter(3)]);
  assert.deepEqual(second.ids('es', { limit: 10 }), [1, 3]);
  assert.deepEqual(second.ids('es', { after: 1, limit: 10 }), [3]);
  assert.deepEqual(second.ids('es', { limit: 1 }), [1]);
});

test('a full box that blocks keeps nothing of what does not fit, and says what to do', (t) => {
  const store = tempStore(t);
  const { box, occurrences } = boxOf(store, { maxBytes: 1000 });
  box.add([letter(1, 500)]);
  assert.throws(
    () => box.add([letter(2, 10), letter(3, 500)]),
    (error) =>
      error instanceof AuditailError &&
      error.code === 'DEADLETTER_FULL' &&
      /deadletter resend --sink es/.test(error.hint!),
  );
  assert.equal(store.total('es').events, 1);
  box.add([letter(4, 10)]);
  store.removeAll('es');
  // What never fits must not stand in the way for ever.
  box.add([letter(5, 5000)]);
  assert.equal(occurrences.size[0], 1);
});

test('drop_oldest makes room, counts what it drops, and keeps the newest in any case', (t) => {
  const store = tempStore(t);
  boxOf(store, {}, 'other').box.add([letter(0, 900)]);
  const { box, occurrences } = boxOf(store, { maxBytes: 1000, overflow: 'drop_oldest' });
  box.add([letter(1, 300), letter(2, 300)]);
  box.add([letter(3, 300)]);
  assert.deepEqual(
    lettersOf(store).map(({ event }) => event.tag),
    ['audit.t2', 'audit.t3'],
  );
  box.add([letter(4, 5000)]);
  assert.deepEqual(
    lettersOf(store).map(({ event }) => event.tag),
    ['audit.t4'],
  );
  assert.equal(occurrences.dropped, 3);
  assert.equal(store.total('other').events, 1, 'another sink has its own limit');
});

test('a letter that is rejected again has the new reason and one attempt more', (t) => {
  const store = tempStore(t);
  boxOf(store).box.add([letter(1)]);
  store.rejectedAgain(1, 'still wrong');
  const [kept] = lettersOf(store);
  assert.equal(kept?.reason, 'still wrong');
  assert.equal(kept?.attempts, 2);
});

test('the totals are what the letters add up to, whatever was done', async (t) => {
  const dir = tempState(t);
  const OPERATIONS = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('add'), sink: fc.constantFrom('a', 'b'), sizes: fc.array(fc.nat(400)) }),
      fc.record({ kind: fc.constant('remove'), ids: fc.array(fc.nat(40)) }),
      fc.record({ kind: fc.constant('clear'), sink: fc.constantFrom('a', 'b') }),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(OPERATIONS, fc.constantFrom('block' as const, 'drop_oldest' as const), (operations, overflow) => {
      fs.rmSync(dir, { recursive: true, force: true });
      const store = DeadLetterStore.open(dir, 'process');
      const db = new Sqlite(deadLetterPath(dir));
      try {
        for (const operation of operations) {
          if ('sizes' in operation) {
            try {
              boxOf(store, { maxBytes: 1500, overflow }, operation.sink).box.add(
                operation.sizes.map((n) => letter(n, n)),
              );
            } catch (error) {
              assert.equal((error as AuditailError).code, 'DEADLETTER_FULL');
            }
            const { events, bytes } = store.total(operation.sink);
            if (overflow === 'drop_oldest') assert.ok(bytes <= 1500 || events === 1);
          } else if ('ids' in operation) store.remove(operation.ids);
          else store.removeAll(operation.sink);
          const counted = db
            .prepare('SELECT sink, count(*) AS events, sum(bytes) AS bytes FROM letters GROUP BY sink ORDER BY sink')
            .all();
          assert.deepEqual(store.totals(), counted);
        }
      } finally {
        db.close();
        store.close();
      }
    }),
    fuzz(20),
  );
});

test('a command may look and remove while the agent adds', (t) => {
  const dir = tempState(t);
  assert.equal(DeadLetterStore.openReadOnly(dir), undefined);
  const agent = DeadLetterStore.open(dir, 'process');
  const { box } = boxOf(agent);
  box.add([letter(1), letter(2)]);
  const command = DeadLetterStore.open(dir, 'disk');
  const reader = DeadLetterStore.openReadOnly(dir)!;
  t.after(() => [agent, command, reader].map((store) => store.close()));
  assert.equal(reader.total('es').events, 2);
  assert.equal(command.remove([1]), 1);
  box.add([letter(3)]);
  assert.deepEqual(reader.totals(), agent.totals());
  assert.equal(reader.total('es').events, 2);
  assert.throws(() => reader.removeAll('es'), /readonly/);
});

test('what was added is there after the agent is killed', async (t) => {
  const dir = tempState(t);
  const source = (file: string) => JSON.stringify(path.resolve(import.meta.dirname, '../../src', file));
  const program = `
    import { DeadLetterStore } from ${source('checkpoint/dead-letter-store.ts')};
    const store = DeadLetterStore.open(${JSON.stringify(dir)}, 'process');
    const box = store.box('es', { maxBytes: 1e6, overflow: 'block' }, { deadLetterSize() {} });
    const event = { tag: 't', time: 1, line: Buffer.from('{}'), source: 's', path: '/log', offset: 0 };
    box.add([{ event, reason: 'r' }, { event, reason: 'r' }]);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
  const [, signal] = (await once(child, 'close')) as [number, string];
  assert.equal(signal, 'SIGKILL');
  const store = DeadLetterStore.open(dir, 'process');
  t.after(() => store.close());
  assert.equal(store.total('es').events, 2);
});

test('a damaged store is refused and left as it is, with the command that moves it aside; so is a newer one', (t) => {
  const dir = tempState(t);
  DeadLetterStore.open(dir, 'process').close();
  const newer = new Sqlite(deadLetterPath(dir));
  newer.pragma('user_version = 99');
  newer.close();
  const codeAndHint = () => {
    try {
      DeadLetterStore.open(dir, 'process').close();
    } catch (error) {
      assert.ok(error instanceof AuditailError);
      return [error.code, error.hint ?? ''] as const;
    }
    return assert.fail('it was opened');
  };
  assert.equal(codeAndHint()[0], 'DEADLETTER_VERSION');
  fs.writeFileSync(deadLetterPath(dir), 'damaged'.repeat(1000));
  const [code, hint] = codeAndHint();
  assert.equal(code, 'DEADLETTER_CORRUPT');
  assert.match(hint, /move it aside with: .*deadletter\.sqlite/);
  assert.equal(fs.readFileSync(deadLetterPath(dir), 'utf8'), 'damaged'.repeat(1000));
  fs.rmSync(deadLetterPath(dir));
  fs.mkdirSync(deadLetterPath(dir));
  assert.equal(codeAndHint()[0], 'DEADLETTER_OPEN');
});
