/**
 * The speed of the event scanner beside JSON.parse of each line, on generated audit events, in one process:
 *
 *     node bench/scanner.ts
 *
 * Each figure is the best of a number of rounds that take turns, so that a busy moment of the machine hits all alike.
 */
import { EventScanner } from '../src/event/scanner.ts';
import { parseTimestamp } from '../src/event/timestamp.ts';
import { auditLines } from './audit-lines.ts';

const BYTES = 30e6;
const ROUNDS = 12;

const lines = auditLines(BYTES).flatMap(({ bytes }) => [bytes, Buffer.from('\n')]);
const chunk = Buffer.concat(lines);
const newlines: number[] = [];
for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) newlines.push(at);

function eachLine(use: (start: number, end: number) => boolean): void {
  let start = 0;
  for (const end of newlines) {
    if (!use(start, end)) throw new Error(`the event at byte ${start} was not understood`);
    start = end + 1;
  }
}

const scanner = new EventScanner(['objectRef.namespace', 'stageTimestamp', 'requestReceivedTimestamp']);
const ways: Record<string, () => void> = {
  scan: () => eachLine((start, end) => scanner.scan(chunk, start, end)),
  'scan, namespace, time': () =>
    eachLine(
      (start, end) =>
        scanner.scan(chunk, start, end) &&
        // Some have no namespace; to ask is what costs.
        scanner.text(0) !== '' &&
        parseTimestamp(chunk, scanner.starts[1]!, scanner.ends[1]!) !== undefined,
    ),
  'JSON.parse': () =>
    eachLine((start, end) => {
      const event = JSON.parse(chunk.toString('utf8', start, end)) as { objectRef?: { namespace?: string } };
      return event.objectRef?.namespace !== '';
    }),
};

const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, run] of Object.entries(ways)) {
    const start = performance.now();
    run();
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, performance.now() - start));
  }
}
const events = newlines.length;
console.log(`${events} events, ${Math.round(chunk.length / events)} bytes each, best of ${ROUNDS} rounds`);
for (const [name, ms] of best) {
  const speed = (chunk.length / ms / 1e6).toFixed(2);
  console.log(`${name.padEnd(24)} ${speed} GB/s  ${Math.round((ms * 1e6) / events)} ns an event`);
}
