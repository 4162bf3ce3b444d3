import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../helpers/fuzz-runs.ts';
import { eventLine, httpEvent, TIME } from '../http-events.ts';
import { newFormat } from './new-format.ts';

/** Events with hostile lines, tags, paths and any times, in no order. */
const events = fc.array(
  fc
    .record({
      line: eventLine,
      tag: fc.oneof(fc.constantFrom('audit', 'audit.default', 'a._none'), fc.string({ unit: 'binary', maxLength: 9 })),
      path: fc.string({ unit: 'binary', maxLength: 9 }),
      time: fc.integer({ min: TIME, max: TIME + 3 }),
      offset: fc.nat(),
    })
    .map(({ line, ...fields }) => httpEvent(line, fields)),
  { minLength: 1, maxLength: 6 },
);
const add = fc.constantFrom<Record<string, string>>({}, { '@timestamp': '${time}', a: '${tag}' });

type Parsed = unknown;
const parse = (text: string): Parsed => JSON.parse(text);
const linesOf = (body: string): Parsed[] => {
  assert.ok(body.endsWith('\n'));
  return body.slice(0, -1).split('\n').map(parse);
};

/** What a receiver finds in a body, in the order of the events, as JSON.parse gives it. */
const READERS: Readonly<Record<string, (body: string) => Parsed[]>> = {
  ndjson: linesOf,
  json_array: (body) => JSON.parse(body),
  event_list: (body) => JSON.parse(body).items,
  elasticsearch: (body) => linesOf(body).filter((_, index) => index % 2 === 1),
  splunk_hec: (body) => linesOf(body).map((envelope) => (envelope as { event: Parsed }).event),
  otlp: (body) =>
    JSON.parse(body).resourceLogs[0].scopeLogs[0].logRecords.map((record: { body: { stringValue: string } }) =>
      parse(record.body.stringValue),
    ),
};

for (const format of ['ndjson', 'json_array', 'event_list', 'elasticsearch', 'splunk_hec', 'otlp'] as const) {
  test(`${format}: whatever the lines, the body parses and gives back each event`, () => {
    const plain = newFormat({ format, index: 'x${tag}' });
    const property = fc.property(events, add, (events, add) => {
      const sent = READERS[format]!(plain.encode(events).toString());
      assert.deepEqual(
        sent,
        events.map(({ line }) => parse(line.toString())),
      );
      const changed = READERS[format]!(newFormat({ format, index: 'x${tag}', add }).encode(events).toString());
      for (const [index, event] of changed.entries()) {
        for (const name of Object.keys(add)) assert.ok(Object.hasOwn(event as object, name));
        assert.deepEqual({ ...(event as object), ...(sent[index] as object) }, event);
      }
    });
    fc.assert(property, fuzz(150));
  });
}

test('loki: whatever the lines, each stream is in order and gives back its events', () => {
  const loki = newFormat({ format: 'loki', labels: { tag: '${tag}' } });
  const property = fc.property(events, (events) => {
    const { streams } = JSON.parse(loki.encode(events).toString()) as {
      streams: { stream: Record<string, string>; values: [string, string][] }[];
    };
    const names = streams.map(({ stream }) => JSON.stringify(stream));
    assert.equal(new Set(names).size, names.length);
    for (const { stream, values } of streams) {
      const members = events.filter(({ tag }) => tag.toWellFormed() === (stream.tag ?? '').toWellFormed());
      members.sort((a, b) => a.time - b.time);
      assert.deepEqual(
        values,
        members.map(({ time, line }) => [`${time}000000`, line.toString()]),
      );
    }
    assert.equal(streams.flatMap(({ values }) => values).length, events.length);
  });
  fc.assert(property, fuzz(150));
});
