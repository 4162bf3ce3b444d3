import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AuditEvents } from '../../bench/audit-events.ts';

const START = Date.UTC(2026, 0, 15, 9);
const HOUR = 3_600_000;

/** The order in which the apiserver writes the keys; every line must be a selection in this order. */
const KEY_ORDER = [
  'kind',
  'apiVersion',
  'level',
  'auditID',
  'stage',
  'requestURI',
  'verb',
  'user',
  'impersonatedUser',
  'sourceIPs',
  'userAgent',
  'objectRef',
  'responseStatus',
  'requestObject',
  'responseObject',
  'requestReceivedTimestamp',
  'stageTimestamp',
  'annotations',
];

interface ParsedEvent {
  auditID: string;
  stage: string;
  level: string;
  objectRef?: { namespace?: string };
  requestObject?: unknown;
  responseObject?: unknown;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}

describe('AuditEvents', () => {
  const lines = [...new AuditEvents({ count: 20_000, seed: 7, startMs: START, spanMs: 3 * HOUR })];
  const events = lines.map((line) => JSON.parse(line) as ParsedEvent);

  test('gives the asked number of unique lines without newlines', () => {
    assert.equal(lines.length, 20_000);
    assert.equal(new Set(lines).size, 20_000);
    assert.ok(lines.every((line) => !line.includes('\n')));
  });

  test('gives the same lines for the same seed, and others for another', () => {
    const again = [...new AuditEvents({ count: 500, seed: 3 })];
    assert.deepEqual(again, [...new AuditEvents({ count: 500, seed: 3 })]);
    assert.notDeepEqual(again, [...new AuditEvents({ count: 500, seed: 4 })]);
  });

  test('writes keys in the order of the apiserver', () => {
    for (const event of events) {
      const places = Object.keys(event).map((key) => KEY_ORDER.indexOf(key));
      assert.ok(
        places.every((place, i) => place !== -1 && (i === 0 || place > places[i - 1]!)),
        Object.keys(event).join(),
      );
    }
  });

  test('has lines of about the wanted mean size, with a tail beyond 100 KB', () => {
    for (const meanBytes of [1500, 4000]) {
      let bytes = 0;
      let longest = 0;
      for (const line of new AuditEvents({ count: 40_000, seed: 11, meanBytes })) {
        const length = Buffer.byteLength(line);
        bytes += length;
        longest = Math.max(longest, length);
      }
      assert.ok(Math.abs(bytes / 40_000 / meanBytes - 1) < 0.1, `mean is ${bytes / 40_000}, wanted ${meanBytes}`);
      assert.ok(longest > 100_000, `longest is ${longest}`);
    }
    assert.throws(() => new AuditEvents({ count: 1, meanBytes: 900 }), /meanBytes is 900/);
  });

  test('spreads events over namespaces as a Zipf law does, with 6 % outside of any', () => {
    const counts = new Map<string, number>();
    for (const event of events) {
      const namespace = event.objectRef?.namespace ?? '';
      counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
    }
    const none = counts.get('')! / events.length;
    assert.ok(none > 0.05 && none < 0.07, `${none} without namespace`);
    counts.delete('');
    assert.equal(counts.size, 30);
    const shares = [...counts.values()].sort((a, b) => b - a).map((count) => count / events.length);
    assert.ok(shares[0]! > 0.2 && shares[0]! < 0.27, `the busiest has ${shares[0]}`);
    assert.ok(shares.at(-1)! > 0.004 && shares.at(-1)! < 0.012, `the quietest has ${shares.at(-1)}`);
    assert.ok(events.some((event) => event.objectRef === undefined));
    assert.ok(events.some((event) => event.objectRef !== undefined && event.objectRef.namespace === undefined));
  });

  test('goes through the time span in order, each line stamped after its request was received', () => {
    let last = '';
    const hours = new Set<string>();
    for (const event of events) {
      assert.match(event.stageTimestamp, /^2026-01-15T\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.ok(event.stageTimestamp >= event.requestReceivedTimestamp);
      assert.ok(event.stageTimestamp >= last);
      last = event.stageTimestamp;
      hours.add(last.slice(11, 13));
    }
    assert.deepEqual([...hours], ['09', '10', '11']);
  });

  test('gives some requests two stages, and bodies only where the level allows them', () => {
    const stages = new Map<string, string[]>();
    for (const event of events) {
      stages.set(event.auditID, [...(stages.get(event.auditID) ?? []), event.stage]);
      if (event.level === 'Metadata') assert.equal(event.requestObject ?? event.responseObject, undefined);
      if (event.level === 'Request') assert.equal(event.responseObject, undefined);
    }
    const pairs = [...stages.values()].filter((list) => list.length === 2).map((list) => list.join());
    assert.ok(pairs.length > 1000, `${pairs.length} pairs`);
    assert.deepEqual([...new Set(pairs)].sort(), [
      'RequestReceived,ResponseComplete',
      'ResponseStarted,ResponseComplete',
    ]);
  });

  test('has escapes and text outside ASCII', () => {
    const text = lines.join('\n');
    for (const needle of ['\\u0026', '\\"', '\\\\', 'köln', '運用', '🚀']) assert.ok(text.includes(needle), needle);
  });
});

test('bench/generate.ts writes the same lines, and explains what is wrong with its arguments', () => {
  const program = fileURLToPath(new URL('../../bench/generate.ts', import.meta.url));
  const out = execFileSync(process.execPath, [program, '--events', '200', '--seed', '5'], { encoding: 'utf8' });
  assert.deepEqual(out.trimEnd().split('\n'), [...new AuditEvents({ count: 200, seed: 5 })]);
  assert.throws(
    () => execFileSync(process.execPath, [program, '--bytes', 'many'], { encoding: 'utf8', stdio: 'pipe' }),
    /expected a size such as/,
  );
});
