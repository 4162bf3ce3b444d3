/**
 * The writing half of the demo, a process of its own: `node demo/writer.ts '{…WriterOptions…}'`.
 *
 * Writes made-up events into an audit log at a steady rate, and before each of them its hash into a ledger, so that what
 * was written is known without the log. Tells its progress as a JSON line on stdout every 50 ms.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditEvents } from '../bench/audit-events.ts';
import { hashLine } from '../test/helpers/line-multiset.ts';
import { ApiserverLog } from './apiserver-log.ts';
import type { WriterOptions, WriterProgress } from './writer-process.ts';

const PROGRESS_MS = 50;
const TICK_MS = 5;

/** After a pause of the machine the rate stays what it was: an apiserver does not make up for lost time either. */
const MAX_TICK_MS = 50;

/** Of a record in the file of times. */
const TIME_BYTES = 8;

const options = JSON.parse(process.argv[2] ?? '{}') as WriterOptions;

// stdin ends when the parent does, however it does: nobody is left to read the log.
process.stdin.on('end', () => process.exit(1)).resume();

const log = new ApiserverLog(options);
const ledger = openSync(options.ledger, 'a', 0o600);
const times = options.times === undefined ? undefined : openSync(options.times, 'a', 0o600);
let events = 0;
let bytes = 0;

function tell(done: boolean): void {
  const progress: WriterProgress = { events, bytes, rotations: log.rotations, pruned: log.pruned, done };
  process.stdout.write(`${JSON.stringify(progress)}\n`);
}

const lines = new AuditEvents({ count: options.events, seed: options.seed, spanMs: options.spanMs })[Symbol.iterator]();
let lastTick = performance.now();
let nextProgress = 0;
let allowance = 0;
for (let next = lines.next(); next.done !== true; ) {
  const now = performance.now();
  allowance += (Math.min(now - lastTick, MAX_TICK_MS) / 1000) * options.bytesPerSecond;
  lastTick = now;

  const batch: Buffer[] = [];
  for (; allowance > 0 && next.done !== true; next = lines.next()) {
    const line = Buffer.from(`${next.value}\n`);
    allowance -= line.length;
    batch.push(line);
  }
  if (batch.length > 0) writeSync(ledger, Buffer.concat(batch.map((line) => hashLine(line.subarray(0, -1)))));
  const written = Buffer.alloc(batch.length * TIME_BYTES);
  for (const [index, line] of batch.entries()) {
    written.writeDoubleLE(performance.timeOrigin + performance.now(), index * TIME_BYTES);
    log.write(line);
    events++;
    bytes += line.length;
  }
  if (times !== undefined) writeSync(times, written);

  if (now >= nextProgress) {
    tell(false);
    nextProgress = now + PROGRESS_MS;
  }
  await sleep(TICK_MS);
}
await log.close();
tell(true);
process.stdin.destroy();
