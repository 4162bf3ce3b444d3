import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { assertTaken, DisturbedLog } from './disturbed-log.ts';
import { FileCalls } from './file-calls.ts';
import { SourceHarness } from './source-harness.ts';

/** Where a source stands when it looks and reads; the next look is the one that is disturbed. */
const SITUATIONS: Readonly<Record<string, (harness: SourceHarness, log: DisturbedLog) => Promise<void>>> = {
  'the first start': async (_harness, log) => {
    log.write(5);
  },
  'a log that was committed and grew': async (harness, log) => {
    log.write(5);
    await harness.read();
    await harness.commit();
    log.write(5);
  },
  'a restart': async (harness, log) => {
    log.write(5);
    await harness.read();
    await harness.stop();
    log.write(5);
    harness.start();
  },
  'a restart after a rotation': async (harness, log) => {
    log.write(5);
    await harness.read();
    await harness.stop();
    log.write(5);
    log.rotate();
    log.write(5);
    harness.start();
  },
  'a restart after a copytruncate': async (harness, log) => {
    log.write(5);
    await harness.read();
    await harness.stop();
    log.write(5);
    log.rotate('copytruncate');
    log.write(5);
    harness.start();
  },
  'a rotation': async (harness, log) => {
    log.write(5);
    await harness.read();
    await harness.commit();
    log.write(5);
    log.rotate();
    log.write(5);
  },
  'a rotated part that is about to be finished': async (harness, log) => {
    log.write(5);
    await harness.read();
    log.write(5);
    log.rotate();
    log.write(5);
    await harness.read();
    harness.pass(6_000);
  },
  'a finished part whose end is not committed': finished,
  'a finished part, and its gzip beside it': async (harness, log) => {
    await finished(harness, log);
    log.gzipBeside();
  },
  'a finished part that was gzipped': async (harness, log) => {
    await finished(harness, log);
    log.gzip();
  },
};

async function finished(harness: SourceHarness, log: DisturbedLog): Promise<void> {
  log.write(5);
  log.rotate();
  log.write(5);
  await harness.read();
  harness.pass(6_000);
  await harness.read();
}

/** What happens at that very moment. */
const EVENTS: Readonly<Record<string, (log: DisturbedLog, harness: SourceHarness) => unknown>> = {
  'lines are written': (log) => log.write(3),
  'the log is rotated': (log) => log.rotate(),
  'the log is rotated and written': (log) => {
    log.rotate();
    log.write(4);
  },
  'the log is rotated, gzipped and written': (log) => {
    log.rotate('rename-gzip');
    log.write(2);
  },
  'the log is rotated twice': (log) => {
    log.rotate();
    log.write(4);
    log.rotate();
    log.write(2);
  },
  'the log is copied and truncated': (log) => log.rotate('copytruncate'),
  'the log is copied, truncated and written': (log) => {
    log.rotate('copytruncate');
    log.write(5);
  },
  'the copy is gzipped': (log) => {
    log.rotate('copytruncate');
    log.gzip();
    log.write(3);
  },
  'the last part is gzipped': (log) => log.gzip(),
  'a commit ends': (_log, harness) => harness.commit(),
  'a commit ends and the last part is gzipped': async (log, harness) => {
    await harness.commit();
    log.gzip();
  },
};

/** Every moment takes minutes; by default each n-th of them, others for each event. */
const STRIDE = process.env.AUDITAIL_FUZZ_RUNS === undefined ? 5 : 1;

/** Reads while `event` happens before the n-th file call; whether it came to that. */
async function disturb(
  calls: FileCalls,
  n: number,
  names: { situation: string; event: string; crash: boolean },
): Promise<boolean> {
  await using harness = new SourceHarness();
  using log = new DisturbedLog(harness.log);
  await SITUATIONS[names.situation]!(harness, log);
  let where = '';
  calls.before(async (call, count, target) => {
    if (count !== n) return;
    where = `${names.situation}, ${names.event} before call ${n}: ${call} ${path.basename(String(target))}`;
    await EVENTS[names.event]!(log, harness);
  });
  try {
    await harness.read();
  } finally {
    calls.before(undefined);
  }
  if (where === '') return false;
  if (names.crash) {
    where += ', then a crash';
    await harness.crash();
    harness.start();
  }
  await harness.settle();
  await harness.settle();
  assertTaken(harness, log, where);
  assert.deepEqual(harness.gaps(), [], where);
  assert.deepEqual([...harness.source.troubles.unreadable], [], where);
  return true;
}

for (const situation of Object.keys(SITUATIONS)) {
  test(`whatever happens in the middle of a look, nothing is lost or repeated: ${situation}`, async () => {
    using calls = await FileCalls.intercept();
    for (const [index, event] of Object.keys(EVENTS).entries()) {
      let moments = 0;
      let crash = index % 2 === 1;
      for (let n = 1 + (index % STRIDE); await disturb(calls, n, { situation, event, crash }); n += STRIDE) {
        moments += 1;
        crash = !crash;
      }
      assert.ok(moments > 0, `${event} never happened`);
    }
  });
}
