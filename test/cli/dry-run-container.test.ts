import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { criPart, dockerPart } from '../helpers/container-log.ts';
import { auditail } from './cli-process.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-dry-run-container-'));
after(() => rmSync(directory, { recursive: true }));

const PARTS = { cri: criPart, docker: dockerPart } as const;

function event(id: number): string {
  return JSON.stringify({ kind: 'Event', auditID: `${id}`, note: '"é"', objectRef: { namespace: 'team-a' } });
}

for (const format of ['cri', 'docker'] as const) {
  const part = PARTS[format];
  const whole = event(1);
  const [first, second] = [whole.slice(0, 20), whole.slice(20)];
  const broken = [event(2).slice(0, 30), `${event(2).slice(30)}"`] as const;
  const noWrapper = format === 'cri' ? '{"kind":"Event"}\n' : '{"log":7}\n';
  const log =
    part({ text: event(0) }) +
    part({ text: 'I1120 15:04:05 klog', stream: 'stderr' }) +
    part({ text: first, isPartial: true }) +
    part({ text: 'E1120 15:04:05 klog', stream: 'stderr' }) +
    part({ text: second }) +
    part({ text: 'I1120 15:04:05 klog on stdout' }) +
    part({ text: broken[0], isPartial: true }) +
    part({ text: broken[1] }) +
    noWrapper +
    part({ text: 'x'.repeat(700), isPartial: true }) +
    part({ text: 'x'.repeat(700), isPartial: true }) +
    part({ text: 'y' }) +
    part({ text: event(3), isPartial: true });
  const config = path.join(directory, `${format}.yaml`);
  writeFileSync(
    config,
    JSON.stringify({ sources: [{ path: '/var/log/containers/*.log', format, max_line_bytes: '1KiB' }] }),
  );

  test(`${format}: parts are joined, and what is no event is named by its place in the file`, async () => {
    const file = path.join(directory, `${format}.log.gz`);
    writeFileSync(file, gzipSync(log));
    for (const [input, stdin] of [
      [file, undefined],
      ['-', Buffer.from(log)],
    ] as const) {
      const args = ['dry-run', '--json', '--show', '2', '-c', config, input];
      const { stdout, stderr } = await auditail(args, stdin === undefined ? {} : { stdin });
      assert.notEqual(stdout, '', stderr);
      const { totals, tags, problems, samples } = JSON.parse(stdout);
      const { events, lines, text_lines, other_stream_lines, unparsable_lines, oversize_lines, torn_lines } = totals;
      assert.deepEqual(
        { events, lines, text_lines, other_stream_lines, unparsable_lines, oversize_lines, torn_lines },
        {
          events: 3,
          lines: 13,
          text_lines: 1,
          other_stream_lines: 2,
          unparsable_lines: 2,
          oversize_lines: 1,
          torn_lines: 0,
        },
      );
      const counts = tags.map(({ tag, events: count }: { tag: string; events: number }) => [tag, count]);
      assert.deepEqual(Object.fromEntries(counts), { 'audit.team-a': 3, 'audit._unparsed': 3, 'audit._oversize': 1 });
      const shown = samples.filter(({ tag }: { tag: string }) => tag === 'audit.team-a');
      assert.deepEqual(
        shown.map(({ content }: { content: string }) => content),
        [event(0), event(1)],
      );
      const quote = log.split('\n')[7]!.lastIndexOf(format === 'cri' ? '"' : '\\"') + 1;
      assert.deepEqual(
        problems.map(({ kind, line, column }: { kind: string; line: number; column: number }) => [kind, line, column]),
        [
          ['unparsable', 8, Buffer.byteLength(log.split('\n')[7]!.slice(0, quote - 1)) + 1],
          ['unparsable', 9, format === 'cri' ? 1 : 8],
          ['oversize', 10, 1],
        ],
      );
    }
  });
}
