import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SmallDisk, whyNoSmallDisk } from '../../../e2e/small-disk.ts';
import { endWithParent } from '../../../helpers/children.ts';
import { drain, events, SpoolWorld } from './spool-harness.ts';

const KILLS = 12;

/** Longest time that the child runs after it is ready; it is killed at a random moment of it. */
const MAX_RUN_MS = 60;

/** Runs the child and kills it. Gives what it printed. */
async function runAndKill(stateDir: string, first: number): Promise<string> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'spool-child.ts'), stateDir, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithParent(child);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (printed === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * MAX_RUN_MS);
    printed += text;
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', printed);
  return printed;
}

test(`${KILLS} kills at any instant: what was flushed is acknowledged or still there, in order`, async (t) => {
  const world = new SpoolWorld(t);
  const acknowledged = new Set<number>();
  let flushed = 0;
  let next = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const printed = await runAndKill(world.stateDir, next);
    for (const [, n] of printed.matchAll(/^acknowledged (\d+)$/gm)) acknowledged.add(Number(n));
    flushed = Math.max(flushed, ...[...printed.matchAll(/^flushed (\d+)$/gm)].map(([, n]) => Number(n)));
    const placeFile = path.join(world.stateDir, 'place.json');
    if (fs.existsSync(placeFile)) world.place = JSON.parse(fs.readFileSync(placeFile, 'utf8'));
    const spool = await world.open();
    const left = await drain(spool);
    await spool.close();
    assert.deepEqual(
      left,
      left.toSorted((one, other) => one - other),
    );
    assert.equal(new Set(left).size, left.length);
    const there = new Set([...left, ...acknowledged]);
    for (let n = 0; n < flushed; n += 1) assert.ok(there.has(n), `${n} of ${flushed} is lost after kill ${kill}`);
    // The numbers of what was being written at the kill are not used again.
    next = Math.max(flushed, (left.at(-1) ?? -1) + 1);
    for (let n = flushed; n < next; n += 1) if (!there.has(n)) acknowledged.add(n);
  }
  assert.ok(flushed > KILLS, `${flushed} events were flushed`);
  assert.deepEqual(
    world.told.filter((text) => !text.startsWith('cut ')),
    [],
  );
});

test('a disk that is full costs nothing that was flushed, and goes on when there is space', {
  skip: whyNoSmallDisk(),
}, async () => {
  using disk = new SmallDisk(2);
  using world = new SpoolWorld(undefined, disk.path);
  const spool = await world.open(undefined, 'disk');
  let next = 0;
  const write = async () => {
    await spool.flush(spool.append(events(next, next + 10, 3000)));
    next += 10;
  };
  await write();
  disk.fill();
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await assert.rejects(async () => {
      for (;;) await write();
    }, /no space/);
  }
  disk.free();
  await write();
  await spool.close();
  const sent = await drain(await world.open());
  assert.deepEqual(
    sent,
    Array.from({ length: next }, (_, n) => n),
  );
  assert.deepEqual(world.told, []);
});
