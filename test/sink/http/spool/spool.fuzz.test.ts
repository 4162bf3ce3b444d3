import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../../../src/errors.ts';
import type { HttpEvent } from '../../../../src/sink/http/http-event.ts';
import type { Spool } from '../../../../src/sink/http/spool/spool.ts';
import { fuzz } from '../../../helpers/fuzz-runs.ts';
import { mutated } from '../../../helpers/mutations.ts';
import { event, numberOf, SpoolWorld } from './spool-harness.ts';

const EVENTS = 24;

/** Each is whole, or it is not there. */
async function readAll(spool: Spool): Promise<HttpEvent[]> {
  const all: HttpEvent[] = [];
  for (;;) {
    const batch = await spool.read({ events: 5, bytes: 4000 });
    if (batch === undefined) return all;
    all.push(...batch.events);
    spool.acknowledge(batch.receipt);
  }
}

test('of damaged files of a spool each event comes as it was written or not at all, and what lacks is told', async () => {
  using written = new SpoolWorld();
  for (let n = 0; n < EVENTS; n += 8) {
    const spool = await written.open();
    for (const from of [n, n + 4]) {
      spool.append(Array.from({ length: 4 }, (_, index) => event(from + index, from === 8 ? 3000 : 60)));
      await spool.flush();
    }
    await spool.close();
  }
  const names = written.files;
  assert.equal(names.length, 3);
  const contents = names.map((name) => fs.readFileSync(written.file(name)));
  using world = new SpoolWorld();
  fs.mkdirSync(world.directory, { recursive: true });
  let whole = 0;
  const property = fc.asyncProperty(
    mutated(contents, { tokens: ['AUSPOOL\x01', '\0\0\0\0', '\xff\xff\xff\xff', 'AUSPOOL\x02'], most: 3 }),
    fc.nat(2),
    async (bytes, index) => {
      for (const name of world.files) fs.rmSync(world.file(name));
      for (const [at, name] of names.entries())
        fs.writeFileSync(world.file(name), at === index ? bytes : contents[at]!);
      world.told.length = 0;
      let spool: Spool;
      try {
        spool = await world.open();
      } catch (error) {
        assert.ok(error instanceof AuditailError && error.code === 'SPOOL_VERSION', String(error));
        return;
      }
      const events = await readAll(spool);
      const numbers = events.map(numberOf);
      for (const one of events) {
        const n = numberOf(one);
        assert.deepEqual(one, event(n, n >= 8 && n < 12 ? 3000 : 60));
      }
      // A part that was copied within a file may repeat an event: receivers get each at least once.
      const isDamaged = (n: number) => Math.floor(n / 8) === index;
      assert.deepEqual(
        numbers.filter((n) => !isDamaged(n)),
        Array.from({ length: EVENTS }, (_, n) => n).filter((n) => !isDamaged(n)),
        'the files beside it',
      );
      // The newest file may lack its end: what was not durable is read from the log again.
      if (new Set(numbers).size < EVENTS) assert.notEqual(world.told.length, 0, `only ${numbers}`);
      else whole += 1;
      await spool.close();
    },
  );
  await fc.assert(property, fuzz(250));
  assert.ok(whole < 250);
});
