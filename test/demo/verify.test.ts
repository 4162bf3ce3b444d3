import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AuditEvents } from '../../bench/audit-events.ts';
import { KILLS, planKills } from '../../demo/kill-plan.ts';
import { isExact, printReport } from '../../demo/report.ts';
import { Screen } from '../../demo/screen.ts';
import { type Verdict, verify } from '../../demo/verify.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';

const root = mkdtempSync(join(tmpdir(), 'auditail-verify-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** The lines by the file in which they belong, in order, worked out by pattern. */
function route(lines: readonly string[]): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const line of lines) {
    const namespace = /"objectRef":\{"resource":"\w+","namespace":"([^"]+)"/.exec(line)?.[1] ?? '_none';
    const [, y, m, d, h] = /"stageTimestamp":"(\d+)-(\d+)-(\d+)T(\d+)/.exec(line)!;
    const file = `audit-${namespace}.${y}${m}${d}${h}.log.gz`;
    files.set(file, [...(files.get(file) ?? []), line]);
  }
  return files;
}

let directory = '';
let count = 0;
beforeEach(() => {
  directory = join(root, String(count++));
  mkdirSync(directory);
});

async function verdictOn(files: ReadonlyMap<string, readonly string[]>, lines: readonly string[]): Promise<Verdict> {
  for (const [file, content] of files) {
    writeFileSync(join(directory, file), gzipSync(content.map((line) => `${line}\n`).join('')));
  }
  const expected = new LineMultiset();
  for (const line of lines) expected.expect(hashLine(line));
  return verify(directory, expected, () => {});
}

function report(verdict: Verdict): string {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const screen = new Screen(out as unknown as NodeJS.WriteStream);
  printReport(screen, {
    verdict,
    written: verdict.expected,
    rotations: 3,
    kills: 7,
    warnings: ['{"message":"gap"}'],
    delivery: undefined,
  });
  return text;
}

describe('verify and report', () => {
  const lines = [...new AuditEvents({ count: 2000, seed: 12 })];
  const routed = route(lines);

  test('an exact archive', async () => {
    const verdict = await verdictOn(routed, lines);
    assert.equal(isExact(verdict), true);
    assert.equal(verdict.namespaces.length, 31);
    assert.equal(verdict.namespaces[0]!.namespace, 'kube-system');
    assert.equal(verdict.namespaces[0]!.files, 3);
    const text = report(verdict);
    assert.match(text, /│ _none +│ +\d+ │/);
    assert.match(text, /\ndemo: 2000 written, 2000 archived, 0 lost, 0 duplicated, 3 rotations, 7 kills\n$/);
    assert.ok(!text.includes('for example') && !text.includes('warned'));
    assert.ok(!text.includes('\x1b'), 'no colours without a terminal');
  });

  test('an event in the file of another namespace, and one in that of another hour', async () => {
    const files = new Map(routed);
    const [first, second] = [...files.keys()] as [string, string];
    files.set(second, [...files.get(second)!, files.get(first)!.at(-1)!]);
    files.set(first, files.get(first)!.slice(0, -1));
    const verdict = await verdictOn(files, lines);
    assert.deepEqual([verdict.lost, verdict.duplicated, verdict.misplaced], [0, 0, 1]);
    assert.equal(isExact(verdict), false);
    assert.ok(report(verdict).includes(`${second}:${files.get(second)!.length} belongs in ${first}`));
  });

  test('a lost, a repeated and a foreign line, and a damaged file', async () => {
    const files = new Map(routed);
    const name = 'audit-default.2026011509.log.gz';
    const content = files.get(name)!;
    files.set(name, [...content.slice(1), content[2]!, 'no JSON']);
    const verdict = await verdictOn(files, lines);
    assert.deepEqual([verdict.lost, verdict.duplicated, verdict.foreign], [1, 1, 1]);
    const text = report(verdict);
    assert.match(text, /1 lost \(by hash\), for example:\n {2}[0-9a-f]{32}\n/);
    assert.match(text, /The agent warned:\n {2}\{"message":"gap"\}\n/);
    assert.match(text, /demo: 2000 written, 2001 archived, 1 lost, 1 duplicated, 3 rotations, 7 kills\n$/);

    writeFileSync(join(directory, name), gzipSync('x').subarray(0, -1));
    const damaged = await verify(directory, new LineMultiset(), () => {});
    assert.match(report(damaged), /1 damaged files, for example:\n.*audit-default\.2026011509\.log\.gz: trailer/);
  });
});

test('planKills gives at least five seeded moments in order, two of them close together', () => {
  for (let seed = 0; seed < 50; seed++) {
    const plan = planKills(seed, 200_000);
    assert.deepEqual(plan, planKills(seed, 200_000));
    assert.ok(plan.length === KILLS && KILLS >= 5);
    const moments = plan.map(({ atEvents }) => atEvents);
    assert.deepEqual(
      moments,
      moments.toSorted((a, b) => a - b),
    );
    assert.ok(moments[0]! >= 8000 && moments.at(-1)! <= 180_000);
    assert.ok(moments.some((moment, i) => moment === moments[i + 1]));
  }
  assert.notDeepEqual(planKills(1, 200_000), planKills(2, 200_000));
});
