import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { AgentStatus } from '../../../src/admin/agent-status.ts';
import { formatAge } from '../../../src/cli/format/age.ts';
import { printStatus } from '../../../src/cli/status/report-text.ts';
import { EMPTY_STATUS } from '../../admin/fake-view.ts';

function printed(status: AgentStatus): string {
  let text = '';
  const output = {
    write: (part: string | Uint8Array) => {
      text += part.toString();
      return true;
    },
  };
  printStatus(status, { stdin: Readable.from([]), stdout: output, stderr: output, env: {} });
  return text;
}

test('ages are rounded for people', () => {
  const ages = { 0: '0 s', 0.4: '0 s', 59: '59 s', 60: '1.0 min', 210: '3.5 min', 3600: '1.0 h', 86400: '1.0 d' };
  for (const [seconds, text] of Object.entries(ages)) assert.equal(formatAge(Number(seconds)), text);
  assert.equal(formatAge(12.3 * 86_400), '12 d');
});

test('a status says what is read, how far each sink is, and what went wrong', () => {
  const segment = {
    path: '/log/audit.log',
    state: 'live',
    gzip: false,
    size: 3 * 1024 ** 2,
    read: 3 * 1024 ** 2,
    first_event: null,
    last_event: null,
    sinks: [
      { sink: 'archive', offset: 3 * 1024 ** 2, lag: 0 },
      { sink: 'es', offset: 1024 ** 2, lag: 2 * 1024 ** 2 },
    ],
  } as const;
  const trouble = {
    level: 'warn',
    message: 'the receiver did not take events',
    sink: 'es',
    source: null,
    fields: { reason: 'connection refused' },
    first: '2026-01-15T08:00:00.000Z',
    last: '2026-01-15T08:59:30.000Z',
    count: 1200,
  } as const;
  const text = printed({
    ...EMPTY_STATUS,
    unready: ['source apiserver: cannot read /log/audit-x.log'],
    sources: [
      {
        name: 'apiserver',
        path: '/log/audit.log',
        files: 3,
        unreadable: [],
        window_seconds: 7200,
        unread_bytes: { live: 2 * 1024 ** 2, rotated: 0 },
        held_deleted_bytes: 512,
        open_files: 1,
        lag: [
          { sink: 'archive', bytes: 0, seconds: 0 },
          { sink: 'es', bytes: 2 * 1024 ** 2, seconds: 90 },
        ],
        streams: [{ path: '/log/audit.log', segments: [segment] }],
      },
    ],
    sinks: [
      { name: 'archive', type: 'file', open_files: 2, directory: '/archive', free_bytes: 1024, size_bytes: 2048 },
      {
        name: 'es',
        type: 'http',
        format: 'elasticsearch',
        origin: 'https://es.example:9200',
        state: 'spooling',
        receiver: 'away',
        queue_bytes: 0,
        spool: { events: 5, bytes: 4096, max_bytes: 8192 },
        dead_letters: { events: 7, bytes: 70, max_bytes: 100 },
        last_error: trouble,
      },
    ],
    troubles: [trouble],
  });
  assert.equal(
    text,
    `auditail 0.0.0, pid 1: running, not ready
  source apiserver: cannot read /log/audit-x.log
memory 0 B, 0 commits, state in /state (1 B of 2 B free)

source apiserver: /log/audit.log
3 log files, 2.0 MiB unread, rotation deletes unread bytes in about 2.0 h, 512 B only held open, their files are deleted
file       state     size  sink         taken      lag
─────────  ─────  ───────  ───────  ─────────  ───────
audit.log  live   3.0 MiB  archive  3,145,728      0 B
                           es       1,048,576  2.0 MiB

sink     type           state                        lag  queue         spool  dead letters  where
───────  ─────────────  ──────────────  ────────────────  ─────  ────────────  ────────────  ──────────────────────────────────
archive  file           2 open                       0 B      -             -             -  /archive (1.0 KiB of 2.0 KiB free)
es       elasticsearch  spooling, away  2.0 MiB, 1.5 min    0 B  4.0 KiB, 50%             7  https://es.example:9200

last warnings and errors
  30 s ago, 1,200 times: warn es: the receiver did not take events (connection refused)
`,
  );
});

test('what an agent says cannot move the cursor', () => {
  const hostile = '\u001b[2J\u202e';
  const text = printed({
    ...EMPTY_STATUS,
    program: hostile,
    unready: [hostile],
    state: { directory: hostile, free_bytes: null, size_bytes: null },
    troubles: [
      {
        level: 'warn',
        message: hostile,
        sink: hostile,
        source: null,
        fields: { error: hostile },
        first: '',
        last: '',
        count: 1,
      },
    ],
  });
  assert.doesNotMatch(text, /[\u001b\u202e]/);
});
