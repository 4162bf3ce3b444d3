import fs from 'node:fs';
import { Spool } from '../../../../src/sink/http/spool/spool.ts';
import { events, numberOf, quietOccurrences, SINK } from './spool-harness.ts';

/**
 * A process that spools, sends and commits until it is killed: `stateDir first`. Each line that it prints is a fact that
 * its parent holds it to: `flushed TO` (events up to that number are durable), `acknowledged N`.
 */
const [stateDir, first] = process.argv.slice(2) as [string, string];
const placeFile = `${stateDir}/place.json`;
const spool = await Spool.open({
  stateDir,
  sink: SINK,
  config: { afterMs: 2000, maxBytes: 400_000, overflow: 'block' },
  records: {
    acknowledged: () => (fs.existsSync(placeFile) ? JSON.parse(fs.readFileSync(placeFile, 'utf8')) : undefined),
  },
  occurrences: quietOccurrences(),
  durability: 'disk',
});
fs.writeSync(1, 'ready\n');
for (let next = Number(first), round = 0; ; round += 1) {
  if (spool.hasRoom) {
    await spool.flush(spool.append(events(next, next + 1 + (round % 7), round % 5 === 0 ? 9000 : 200)));
    next += 1 + (round % 7);
    fs.writeSync(1, `flushed ${next}\n`);
  }
  const batch = await spool.read({ events: 1 + (round % 9), bytes: 20_000 });
  if (batch !== undefined) {
    // Told before it is done: what a receiver has may come again, but what it never got may not be missing.
    for (const event of batch.events) fs.writeSync(1, `acknowledged ${numberOf(event)}\n`);
    spool.acknowledge(batch.receipt);
  }
  if (round % 3 !== 0 || spool.place === undefined) continue;
  const { place } = spool;
  fs.writeFileSync(`${placeFile}.new`, JSON.stringify(place));
  fs.renameSync(`${placeFile}.new`, placeFile);
  await spool.committed(place);
}
