import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FileIo, nodeFileIo } from '../../../../src/sink/file-io.ts';
import type { HttpEvent } from '../../../../src/sink/http/http-event.ts';
import type { Spool, SpoolReceipt } from '../../../../src/sink/http/spool/spool.ts';
import { fuzz } from '../../../helpers/fuzz-runs.ts';
import { drain, event, numberOf, SpoolWorld } from './spool-harness.ts';

/** A process that dies within the `left`-th call from now: a write may leave a part of it, and nothing is done after it. */
class MortalIo {
  left = Number.POSITIVE_INFINITY;
  partial = 0;
  readonly io: FileIo = new Proxy(nodeFileIo, {
    get: (target, name: keyof FileIo) => {
      return async (...args: unknown[]) => {
        this.left -= 1;
        if (this.left > 0) return (target[name] as (...args: unknown[]) => unknown)(...args);
        if (this.left === 0 && name === 'write') {
          const [fd, buffer, position] = args as Parameters<FileIo['write']>;
          await target.write(fd, buffer.subarray(0, Math.floor(buffer.length * this.partial)), position);
        }
        throw new Error('dead');
      };
    },
  });
}

type Operation =
  | { readonly kind: 'append'; readonly count: number; readonly bytes: number; readonly isHeld: boolean }
  | { readonly kind: 'flush' | 'commit' | 'restart' }
  | { readonly kind: 'read'; readonly events: number; readonly bytes: number }
  | { readonly kind: 'acknowledge'; readonly which: number }
  | { readonly kind: 'crash'; readonly after: number; readonly partial: number; readonly losesPlace: boolean };

const OPERATIONS = fc.array(
  fc.oneof<fc.WeightedArbitrary<Operation>[]>(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        count: fc.integer({ min: 1, max: 5 }),
        bytes: fc.oneof(fc.integer({ min: 20, max: 300 }), fc.constant(9000)),
        isHeld: fc.boolean(),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        events: fc.integer({ min: 1, max: 6 }),
        bytes: fc.integer({ min: 1, max: 20_000 }),
      }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), which: fc.nat(20) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('crash' as const),
        after: fc.integer({ min: 1, max: 12 }),
        partial: fc.double({ min: 0, max: 1, noNaN: true }),
        losesPlace: fc.boolean(),
      }),
    },
  ),
  // Long ones: short sequences seldom come to anything.
  { maxLength: 60, size: 'max' },
);

interface Outstanding {
  readonly numbers: readonly number[];
  readonly receipt: SpoolReceipt;
}

/** What a spool must still give, kept beside it. */
class Model {
  readonly world: SpoolWorld;
  readonly mortal = new MortalIo();
  spool!: Spool;
  #next = 0;
  /** Flushed and not acknowledged, or acknowledged but behind something that is not. In the order of the spool. */
  #stored: { readonly n: number; isAcknowledged: boolean }[] = [];
  #waiting: (Outstanding & { readonly isHeld: boolean })[] = [];
  #outstanding: Outstanding[] = [];
  #readable: number[] = [];

  constructor(world: SpoolWorld) {
    this.world = world;
  }

  async start(): Promise<void> {
    this.mortal.left = Number.POSITIVE_INFINITY;
    this.spool = await this.world.open(this.mortal.io);
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'append':
        this.#append(operation);
        return;
      case 'flush':
        return this.#flush();
      case 'commit':
        return this.#commit();
      case 'read':
        return this.#read(operation);
      case 'acknowledge':
        this.#acknowledge(operation.which);
        return;
      case 'restart':
        await this.spool.close();
        this.#storeWaiting();
        return this.#reopen();
      case 'crash':
        return this.#crash(operation);
    }
  }

  /** Everything comes once more, after a last restart. */
  async finish(): Promise<void> {
    await this.apply({ kind: 'restart' });
    assert.deepEqual(await drain(this.spool, true), this.#readable);
    assert.ok(this.spool.isEmpty);
    await this.world.commit(this.spool);
    assert.deepEqual(this.world.files, []);
    await this.spool.close();
  }

  #append({ count, bytes, isHeld }: Operation & { kind: 'append' }): void {
    if (!this.spool.hasRoom) return;
    const events: HttpEvent[] = [];
    for (; events.length < count; this.#next += 1) events.push(event(this.#next, bytes));
    const receipt = this.spool.append(events, { isHeld });
    const entry = { numbers: events.map(numberOf), receipt, isHeld };
    this.#waiting.push(entry);
    if (isHeld) this.#outstanding.push(entry);
  }

  async #flush(): Promise<void> {
    await this.spool.flush();
    this.#storeWaiting();
    assert.equal(this.spool.events, this.#stored.filter(({ isAcknowledged }) => !isAcknowledged).length);
  }

  #storeWaiting(): void {
    for (const { numbers, isHeld, receipt } of this.#waiting) {
      const isAcknowledged = isHeld && !this.#outstanding.some((other) => other.receipt === receipt);
      // Acknowledged before it was written: then it is not in the spool.
      if (isAcknowledged) continue;
      for (const n of numbers) this.#stored.push({ n, isAcknowledged });
      if (!isHeld) this.#readable.push(...numbers);
    }
    this.#waiting = [];
  }

  async #commit(): Promise<void> {
    await this.world.commit(this.spool);
    this.#forgetPrefix();
  }

  /** The durable place has passed what was acknowledged at the front. */
  #forgetPrefix(): void {
    while (this.#stored[0]?.isAcknowledged === true) this.#stored.shift();
  }

  async #read({ events, bytes }: Operation & { kind: 'read' }): Promise<void> {
    const batch = await this.spool.read({ events, bytes });
    const numbers = batch?.events.map(numberOf) ?? [];
    assert.deepEqual(numbers, this.#readable.splice(0, numbers.length));
    if (batch === undefined) {
      assert.equal(this.#readable.length, 0);
      return;
    }
    assert.ok(numbers.length >= 1 && numbers.length <= events);
    const size = batch.events.reduce((sum, { line }) => sum + line.length, 0);
    assert.ok(numbers.length === 1 || size <= bytes);
    this.#outstanding.push({ numbers, receipt: batch.receipt });
  }

  #acknowledge(which: number): void {
    const [entry] = this.#outstanding.splice(which % Math.max(1, this.#outstanding.length), 1);
    if (entry === undefined) return;
    this.spool.acknowledge(entry.receipt);
    for (const stored of this.#stored) {
      if (entry.numbers.includes(stored.n)) stored.isAcknowledged = true;
    }
  }

  /**
   * A new run: everything that lies behind the durable place is given out again.
   *
   * @param beingWritten events of which the spool may have some too: a crash may come when their records are written.
   */
  async #reopen(beingWritten = 0): Promise<void> {
    await this.start();
    for (const stored of this.#stored) stored.isAcknowledged = false;
    this.#outstanding = [];
    this.#waiting = [];
    this.#readable = this.#stored.map(({ n }) => n);
    const more = this.spool.events - this.#stored.length;
    assert.ok(more >= 0 && more <= beingWritten, `${more} events too many`);
  }

  async #crash({ after, partial, losesPlace }: Operation & { kind: 'crash' }): Promise<void> {
    // A commit that dies after its transaction: files may be left behind it.
    if (!losesPlace && this.spool.place !== undefined) {
      this.world.place = this.spool.place;
      this.#forgetPrefix();
    }
    this.mortal.left = after;
    this.mortal.partial = partial;
    const durable = await this.spool.flush().then(
      () => true,
      () => false,
    );
    if (durable) this.#storeWaiting();
    if (!losesPlace && this.world.place !== undefined) await this.spool.committed(this.world.place);
    this.mortal.left = 0;
    await this.spool.close().catch(() => undefined);
    const wasWaiting = new Set(this.#waiting.flatMap(({ numbers }) => numbers));
    await this.#reopen(wasWaiting.size);
    const extra = await this.#takeExtra(wasWaiting);
    this.#readable.push(...extra);
    for (const n of extra) this.#stored.push({ n, isAcknowledged: false });
    assert.equal(this.spool.events, this.#stored.length);
  }

  /**
   * What was being written at the crash may be there, whole or in part: the log is read again for it, so that is a
   * repetition and no loss. Anything else would be an error.
   */
  async #takeExtra(wasWaiting: ReadonlySet<number>): Promise<number[]> {
    const given = await drain(this.spool);
    await this.spool.close();
    await this.start();
    assert.deepEqual(given.slice(0, this.#readable.length), this.#readable);
    const extra = given.slice(this.#readable.length);
    assert.ok(extra.every((n) => wasWaiting.has(n)) && new Set(extra).size === extra.length);
    return extra;
  }
}

test('whatever happens, what was flushed and not acknowledged comes back in order, once in each run', async () => {
  await fc.assert(
    fc.asyncProperty(OPERATIONS, async (operations) => {
      using world = new SpoolWorld();
      world.config = { ...world.config, maxBytes: 200_000 };
      const model = new Model(world);
      await model.start();
      for (const operation of operations) await model.apply(operation);
      await model.finish();
      assert.deepEqual(
        world.told.filter((text) => !text.startsWith('cut ') && !text.startsWith('failed: Error: dead')),
        [],
      );
    }),
    fuzz(100),
  );
});

type Damage =
  | { readonly kind: 'flip'; readonly file: number; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly file: number; readonly at: number }
  | { readonly kind: 'remove'; readonly file: number };

const FILE = { file: fc.nat(10), at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) };

test('whatever becomes of the files, the rest is sent as it was and in order, and what is lost is told', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
      fc.array(
        fc.oneof<fc.Arbitrary<Damage>[]>(
          fc.record({ kind: fc.constant('flip' as const), ...FILE, bit: fc.nat(7) }),
          fc.record({ kind: fc.constant('cut' as const), ...FILE }),
          fc.record({ kind: fc.constant('remove' as const), file: FILE.file }),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      async (runs, damages) => {
        using world = new SpoolWorld();
        const written: HttpEvent[] = [];
        const ofFile: number[][] = [];
        for (const count of runs) {
          const spool = await world.open();
          ofFile.push([]);
          for (let n = 0; n < count; n += 1) {
            const one = event(written.length, 100);
            ofFile.at(-1)!.push(written.length);
            written.push(one);
            await spool.flush(spool.append([one]));
          }
          await spool.close();
        }
        const touched = new Set<number>();
        const files = [...world.files];
        for (const damage of damages) {
          const index = damage.file % files.length;
          const file = world.file(files[index]!);
          if (!fs.existsSync(file)) continue;
          touched.add(index);
          spoil(file, damage);
        }
        const spool = await world.open();
        const sent: HttpEvent[] = [];
        for (;;) {
          const batch = await spool.read({ events: 3, bytes: 1000 });
          if (batch === undefined) break;
          sent.push(...batch.events);
          spool.acknowledge(batch.receipt);
        }
        const numbers = sent.map(numberOf);
        for (const [index, one] of sent.entries()) assert.deepEqual(one, written[numbers[index]!]);
        assert.deepEqual(
          numbers,
          numbers.toSorted((one, other) => one - other),
        );
        assert.equal(new Set(numbers).size, numbers.length);
        const untouched = ofFile.filter((_, index) => !touched.has(index)).flat();
        assert.deepEqual(
          untouched.filter((n) => !numbers.includes(n)),
          [],
        );
        // The newest file may be gone without a trace; of the others every loss is told.
        const isTold = world.told.length > 0 || !fs.existsSync(world.file(files.at(-1)!));
        if (numbers.length < written.length) assert.ok(isTold, 'a loss is told');
        assert.ok(spool.isEmpty);
        await world.commit(spool);
        assert.deepEqual(
          world.files.filter((name) => !name.endsWith('.damaged')),
          [],
        );
      },
    ),
    fuzz(80),
  );
});

function spoil(file: string, damage: Damage): void {
  if (damage.kind === 'remove') {
    fs.rmSync(file);
    return;
  }
  const bytes = fs.readFileSync(file);
  const at = Math.floor(bytes.length * damage.at);
  if (damage.kind === 'cut') {
    fs.truncateSync(file, at);
  } else if (bytes.length > 0) {
    bytes[at]! ^= 1 << damage.bit;
    fs.writeFileSync(file, bytes);
  }
}
