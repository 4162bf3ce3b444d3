import assert from 'node:assert/strict';
import { test } from 'node:test';
import { render } from '../../../src/cli/top/render.ts';
import { AuditailError } from '../../../src/errors.ts';
import { fileSink, httpSink, MIB, source, textOf, viewOf } from './views.ts';

const TROUBLE = {
  level: 'warn',
  message: 'the receiver did not take events',
  sink: 'es',
  source: null,
  fields: { reason: 'connection refused' },
  first: '2026-01-15T08:00:00.000Z',
  last: '2026-01-15T08:59:30.000Z',
  count: 1200,
} as const;

const BUSY = {
  sources: [
    source('apiserver', {
      files: 12,
      window_seconds: 1800,
      unread_bytes: { live: 0, rotated: 1 },
      lag: [
        { sink: 'archive', bytes: 0, seconds: 0 },
        { sink: 'es', bytes: 2 * MIB, seconds: 90 },
      ],
    }),
  ],
  sinks: [
    fileSink('archive'),
    httpSink('es', {
      state: 'spooling',
      receiver: 'away',
      queue_bytes: 512,
      spool: { events: 9, bytes: 90 * MIB, max_bytes: 100 * MIB },
    }),
    httpSink('siem', { dead_letters: { events: 7, bytes: 70, max_bytes: 100 } }),
  ],
  troubles: [TROUBLE],
};

const RATES: Readonly<Record<string, number>> = {
  'received_events_total apiserver': 1234.4,
  'received_bytes_total apiserver': 1.5 * MIB,
  'archive_events_total archive': 1200,
  'archive_content_bytes_total archive': 1.4 * MIB,
  'http_delivered_events_total es': 0,
  'http_delivered_events_total siem': 2.25,
};
const rates = { perSecond: (name: string, label: string) => RATES[`${name} ${label}`] };

test('a terminal of 80 columns shows what an operator needs first', () => {
  const rows = textOf(render(viewOf(BUSY, { rates }), { columns: 80, rows: 24 }));
  assert.deepEqual(rows, [
    'auditail 0.0.0, pid 1: running, ready                       2026-01-15 09:00:00Z',
    'up 1.5 h, memory 0 B, 0 commits, state in /state (1 B of 2 B free)',
    '',
    'source     events/s  bytes/s      lag   oldest  lost in  slowest  files',
    'apiserver     1,234  1.5 MiB  2.0 MiB  1.5 min   30 min  es          12',
    '',
    'sink     state           events/s      lag   oldest          spool  letters',
    'es       spooling, away         0  2.0 MiB  1.5 min  90.0 MiB, 90%        0',
    'siem     direct               2.3      0 B      0 s            0 B        7',
    'archive  2 open             1,200      0 B      0 s              -        -',
    '',
    ' ago  times  last warnings and errors',
    '30 s  1,200  warn es: the receiver did not take events (connection refused)',
    ...new Array<string>(10).fill(''),
    'q quit   p pause   s sort by name   every 2s',
  ]);
});

test('a wide one shows also where, and a small one only the worst', () => {
  const wide = textOf(render(viewOf(BUSY, { rates }), { columns: 160, rows: 24 }));
  assert.match(wide[3]!, / files {2}log$/);
  assert.match(wide[4]!, / 12 {2}\/log\/apiserver\.log$/);
  assert.match(wide[7]!, / 512 B .* https:\/\/es\.example$/);
  assert.match(wide[9]!, / 1\.4 MiB .* 1\.5 KiB free in \/archive$/);
  assert.deepEqual(textOf(render(viewOf(BUSY, { rates }), { columns: 40, rows: 10 })), [
    'auditail 0.0.0, pid 1: running, ready',
    'up 1.5 h, memory 0 B, 0 commits',
    'source         lag   oldest  lost in',
    'apiserver  2.0 MiB  1.5 min   30 min',
    'sink     state               lag',
    'es       spooling, away  2.0 MiB',
    'siem     direct              0 B',
    'archive  2 open              0 B',
    '',
    'q quit   p pause   s sort by name',
  ]);
});

test('what needs somebody stands out and stands first', () => {
  const sinks = [
    fileSink('a-well'),
    httpSink('b-spooling', { state: 'spooling' }),
    httpSink('c-behind', { state: 'behind' }),
    httpSink('d-away', { state: 'direct', receiver: 'away' }),
    httpSink('e-blocked', { state: 'blocked', receiver: 'blocked' }),
    fileSink('f-full', { free_bytes: 1 }),
    fileSink('g-late'),
  ];
  const lag = [{ sink: 'g-late', bytes: 1, seconds: 60 }];
  const rows = render(viewOf({ sources: [source('one', { lag })], sinks }), { columns: 120, rows: 40 });
  const order = textOf(rows).flatMap((row) => /^[a-g]-\w+/.exec(row)?.[0] ?? []);
  assert.deepEqual(order, ['e-blocked', 'd-away', 'c-behind', 'b-spooling', 'f-full', 'g-late', 'a-well']);
  const styles = rows.flat().map(({ text, style }) => [text.trim(), style]);
  for (const expected of [
    ['blocked', 'red'],
    ['direct, away', 'yellow'],
    ['behind', 'yellow'],
    ['ready', 'green'],
  ]) {
    assert.ok(
      styles.some(([text, style]) => text === expected[0] && style === expected[1]),
      `${expected}`,
    );
  }
  const byName = textOf(render(viewOf({ sinks }, { sort: 'name' }), { columns: 120, rows: 40 }));
  assert.deepEqual(
    byName.flatMap((row) => /^[a-g]-\w+/.exec(row)?.[0] ?? []),
    sinks.map(({ name }) => name),
  );
});

test('sinks that are well do not change places for each line that is written', () => {
  const orderWith = (seconds: number, bytes: number) => {
    const lag = [{ sink: 'b', bytes, seconds }];
    const rows = render(viewOf({ sources: [source('one', { lag })], sinks: [fileSink('a'), fileSink('b')] }), {
      columns: 80,
      rows: 24,
    });
    return textOf(rows).flatMap((row) => /^[ab] /.exec(row)?.[0].trim() ?? []);
  };
  assert.deepEqual(orderWith(3, 5000), ['a', 'b']);
  assert.deepEqual(orderWith(30, 5000), ['b', 'a']);
  assert.deepEqual(orderWith(0, 5 * MIB), ['b', 'a']);
});

test('each log of a source with several has its own lag, the oldest first, and what has no room is counted', () => {
  const streams = Array.from({ length: 30 }, (_, index) => ({
    path: `/log/pods/node-${index}/audit.log`,
    segments: [
      {
        path: `/log/pods/node-${index}/audit.log`,
        state: 'live' as const,
        gzip: false,
        size: 1000,
        read: 1000,
        first_event: '2026-01-15T08:00:00.000Z',
        last_event: '2026-01-15T09:00:00.000Z',
        // Half of it is taken, so the oldest event that is not is half an hour old.
        sinks: [{ sink: 'es', offset: index === 7 ? 500 : 1000, lag: index === 7 ? 500 : 0 }],
      },
    ],
  }));
  const lag = [{ sink: 'es', bytes: 500, seconds: 1800 }];
  const view = viewOf({ sources: [source('pods', { streams, lag })], sinks: [httpSink('es')] });
  const rows = textOf(render(view, { columns: 80, rows: 24 }));
  const head = rows.findIndex((row) => row.startsWith('source'));
  assert.match(rows[head + 1]!, /^pods .* 500 B +30 min +- +es /);
  assert.match(rows[head + 2]!, /^ node-7\/audit\.log +500 B +30 min +es$/);
  assert.match(rows[head + 3]!, /^ node-0\/audit\.log +0 B +0 s +-$/);
  const more = Number(/^… (\d+) more$/m.exec(rows.join('\n'))?.[1]);
  const shown = rows.filter((row) => /^ node-\d+/.test(row)).length;
  assert.equal(more + shown, 30);
  assert.ok(shown >= 8, `${shown} are shown`);
  assert.equal(rows.filter((row) => row.startsWith('es ')).length, 1);
});

test('an agent that is not ready says why, and one that cannot write says how often', () => {
  const unready = ['source a: no log', 'b', 'c', 'd', 'e'];
  const rows = textOf(
    render(viewOf({ unready, commits: { completed: 5, failures_in_a_row: 3 } }), { columns: 80, rows: 24 }),
  );
  assert.deepEqual(rows.slice(0, 6), [
    'auditail 0.0.0, pid 1: running, not ready                   2026-01-15 09:00:00Z',
    'up 1.5 h, memory 0 B, 5 commits, 3 failed in a row, state: 1 B of 2 B free',
    '  source a: no log',
    '  b',
    '  c',
    '  … 2 more',
  ]);
});

test('where no agent answers that is said, with what was known, or with the way out', () => {
  const failure = new AuditailError('STATUS_UNREACHABLE', 'no agent answers on 127.0.0.1:9477', {
    cause: new Error('connection refused'),
    hint: 'Is it running, and is this its admin.listen? Name its configuration with -c, or the address with --address',
  });
  const size = { columns: 60, rows: 24 };
  const known = textOf(render(viewOf(BUSY, { failure, secondsOld: 75 }), size));
  assert.equal(known[0], 'no agent answers on 127.0.0.1:9477: connection refused');
  assert.equal(known[1], 'trying again; what was known 1.3 min ago:');
  assert.match(known[2]!, /^auditail 0\.0\.0/);
  const unknown = textOf(render(viewOf(undefined, { failure }), size));
  assert.deepEqual(unknown.slice(0, 5), [
    'no agent answers on 127.0.0.1:9477: connection refused',
    'trying again',
    'Is it running, and is this its admin.listen? Name its',
    'configuration with -c, or the address with --address',
    '',
  ]);
  assert.equal(textOf(render(viewOf(undefined), size))[0], 'asking the agent on 127.0.0.1:9477');
  assert.equal(
    textOf(render(viewOf(BUSY, { isWaiting: true, secondsOld: 4 }), size))[0],
    'no answer yet; what was known 4 s ago:',
  );
  assert.match(textOf(render(viewOf(BUSY, { isPaused: true, secondsOld: 4 }), size)).at(-1)!, /^paused, 4 s old/);
});

test('a source that cannot be read is told', () => {
  const sources = [
    source('a', { lag: [{ sink: 'x', bytes: 9 * MIB, seconds: 900 }] }),
    source('b', { files: null }),
    source('c', { unreadable: ['/log/c.log'], held_deleted_bytes: 2048 }),
  ];
  const rows = textOf(render(viewOf({ sources }), { columns: 120, rows: 24 }));
  const [b, c, a] = rows.slice(rows.findIndex((row) => row.startsWith('source')) + 1);
  assert.match(b!, /^b .* unknown /);
  assert.match(c!, /^c .* 2\.0 KiB +1, 1 unreadable /);
  assert.match(a!, /^a .* 15 min /);
});
