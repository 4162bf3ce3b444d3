import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditail } from './cli-process.ts';

const MIB = 1024 * 1024;

/** Tells the largest memory that the process had, in KiB, on the last line of stderr. */
const TELL_MEMORY = [
  '--import',
  `data:text/javascript,${encodeURIComponent("process.once('exit', () => process.stderr.write('\\n' + process.resourceUsage().maxRSS))")}`,
];

async function dryRun(stdin: Buffer) {
  const { stdout, stderr, code } = await auditail(['dry-run', '--json', '-'], { stdin, node: TELL_MEMORY });
  assert.equal(code, 0, stderr);
  return { facts: JSON.parse(stdout), bytes: Number(stderr.split('\n').at(-1)) * 1024 };
}

test('a line of 100 MB takes no more memory than one of the limit', async () => {
  const small = await dryRun(Buffer.from(`{"pad":"${'x'.repeat(15 * MIB)}"}\n`));
  const large = await dryRun(Buffer.from(`{"pad":"${'x'.repeat(100 * MIB)}"}\n{}\n`));
  const { totals, tags } = large.facts;
  assert.deepEqual([totals.events, totals.oversize_lines, totals.lines], [1, 1, 2]);
  assert.deepEqual(
    tags.map(({ tag, bytes }: { tag: string; bytes: number }) => [tag, bytes]),
    [
      ['audit._oversize', 100 * MIB + 11],
      ['audit._none', 3],
    ],
  );
  assert.ok(large.bytes < small.bytes + 20 * MIB, `${large.bytes} bytes against ${small.bytes}`);
});

test('of hundreds of thousands of namespaces the first are told apart, and the sums are right', async () => {
  const namespaces = 200_000;
  const lines = Array.from(
    { length: namespaces },
    (_, n) => `{"objectRef":{"namespace":"n${n}"},"stageTimestamp":"2026-01-15T10:00:00Z"}\n`,
  );
  const { facts } = await dryRun(Buffer.from(lines.join('')));
  const { tags, other_tags, sinks, totals } = facts;
  assert.equal(totals.events, namespaces);
  assert.equal(tags.length, 10_000);
  assert.equal(other_tags.events, namespaces - 10_000);
  const [{ files, overflow, other_files }] = sinks;
  // max_tags is 4,096, and the overflow file is one more.
  assert.equal(files.length, 4097);
  assert.equal(overflow.events, namespaces - 4096);
  assert.equal(other_files.events, 0);
});
