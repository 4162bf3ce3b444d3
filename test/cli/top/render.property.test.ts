import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { HTTP_STATES } from '../../../src/admin/agent-status.ts';
import { render } from '../../../src/cli/top/render.ts';
import { rowWidth } from '../../../src/cli/top/row.ts';
import { SORTS } from '../../../src/cli/top/view.ts';
import { fileSink, httpSink, source, textOf, viewOf } from './views.ts';

/** What a terminal could act on, or would put where nobody expects it. */
const HOSTILE = ['\u001b[2J', '\u001b]0;title\u0007', '\u009b1m', '\r\n', '\t', '\u202e', '\u200d', '\u0301', '\ud800'];
const WIDE = ['日本語', '한국어', '👩‍👩‍👧', '🇦🇹', 'ｆｕｌｌ', '\u0e33', '\u{16d63}\u{16d67}'];

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...HOSTILE, ...WIDE),
      fc.string({ maxLength: 6 }),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));
const bytes = fc.oneof(fc.nat(3000), fc.double({ min: 0, max: 1e16, noNaN: true }).map(Math.round));
const seconds = fc.oneof(fc.nat(100), fc.double({ min: 0, max: 1e9, noNaN: true }));
const time = fc.oneof(fc.constant('2026-01-15T09:00:00.000Z'), text);

const directory = { directory: text, free_bytes: fc.option(bytes), size_bytes: fc.option(bytes) };
const trouble = fc.record({
  level: fc.constantFrom('warn' as const, 'error' as const),
  message: text,
  sink: fc.option(text),
  source: fc.option(text),
  fields: fc.dictionary(fc.constantFrom('error', 'reason', 'path'), text),
  first: time,
  last: time,
  count: fc.nat(),
});
const segment = fc.record({
  path: text,
  state: fc.constantFrom('live' as const, 'rotated' as const, 'deleted' as const),
  gzip: fc.boolean(),
  size: bytes,
  read: bytes,
  first_event: fc.option(time),
  last_event: fc.option(time),
  sinks: fc.array(fc.record({ sink: text, offset: bytes, lag: bytes }), { maxLength: 2 }),
});
const sources = fc.array(
  fc
    .record({
      name: text,
      path: text,
      files: fc.option(fc.nat()),
      unreadable: fc.array(text, { maxLength: 2 }),
      window_seconds: fc.option(seconds),
      unread_bytes: fc.record({ live: bytes, rotated: bytes }),
      held_deleted_bytes: bytes,
      lag: fc.array(fc.record({ sink: text, bytes, seconds }), { maxLength: 3 }),
      streams: fc.array(fc.record({ path: text, segments: fc.array(segment, { maxLength: 2 }) }), { maxLength: 12 }),
    })
    .map((changes) => source('', changes)),
  { maxLength: 6 },
);
const sinks = fc.array(
  fc.oneof(
    fc.record({ name: text, open_files: fc.nat(), ...directory }).map((changes) => fileSink('', changes)),
    fc
      .record({
        name: text,
        origin: text,
        state: fc.constantFrom(...HTTP_STATES),
        receiver: fc.constantFrom('taking' as const, 'away' as const, 'blocked' as const),
        queue_bytes: bytes,
        spool: fc.record({ events: fc.nat(), bytes, max_bytes: bytes }),
        dead_letters: fc.record({ events: fc.nat(), bytes, max_bytes: bytes }),
      })
      .map((changes) => httpSink('', changes)),
  ),
  { maxLength: 12 },
);
const status = fc.record(
  {
    program: text,
    phase: fc.constantFrom('starting' as const, 'running' as const, 'stopping' as const),
    time,
    unready: fc.array(text, { maxLength: 6 }),
    sources,
    sinks,
    commits: fc.record({ completed: fc.nat(), failures_in_a_row: fc.nat(3) }),
    state: fc.record(directory),
    troubles: fc.array(trouble, { maxLength: 20 }),
  },
  { requiredKeys: [] },
);
const view = fc
  .record({
    status: fc.option(status, { nil: undefined }),
    failure: fc.option(
      text.map((message) => new Error(message, { cause: new Error(message) })),
      { nil: undefined },
    ),
    rate: fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), { nil: undefined }),
    place: text,
    secondsOld: fc.option(seconds, { nil: undefined }),
    isWaiting: fc.boolean(),
    isPaused: fc.boolean(),
    sort: fc.constantFrom(...SORTS),
  })
  .map(({ status: shown, rate, ...changes }) => viewOf(shown, { ...changes, rates: { perSecond: () => rate } }));
const size = fc.record({
  columns: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 300 })),
  rows: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 80 })),
});

test('a screen never gets more than it has room for, nor anything that it acts on', () => {
  fc.assert(
    fc.property(view, size, (shown, { columns, rows }) => {
      const screen = render(shown, { columns, rows });
      assert.ok(screen.length <= rows, `${screen.length} rows of ${rows}`);
      for (const row of screen) {
        const line = row.map(({ text: part }) => part).join('');
        assert.ok(rowWidth(row) <= columns, `${rowWidth(row)} of ${columns} columns: ${JSON.stringify(line)}`);
        // Each character by itself: terminals that join fewer of them need more room than that.
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        assert.equal(stringWidth(line), rowWidth(row));
      }
      // Nothing is drawn from look to look: the last row is always the same one.
      if (rows >= 4) assert.match(textOf(screen).at(-1)!, columns >= 40 ? /q quit/ : /./);
    }),
    { numRuns: 300 },
  );
});

test('what is not shown is counted: no row vanishes without a word', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 12, max: 60 }),
      (many, others, rows) => {
        const shown = viewOf({
          sources: Array.from({ length: many }, (_, index) => source(`source-${index}`)),
          sinks: Array.from({ length: others }, (_, index) => httpSink(`sink-${index}`)),
        });
        const lines = textOf(render(shown, { columns: 100, rows }));
        const seen = lines.filter((line) => /^(source|sink)-\d/.test(line)).length;
        const counted = lines.reduce((sum, line) => sum + Number(/^… (\d+) more$/.exec(line)?.[1] ?? 0), 0);
        assert.equal(seen + counted, many + others, lines.join('\n'));
      },
    ),
    { numRuns: 200 },
  );
});
