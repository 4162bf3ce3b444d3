import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { assertExact, eventLine, HOUR_NAME, HOUR_START, Scene } from './scene.ts';

/** What one written line becomes: each piece with the tag part of its file. Empty: it is skipped and counted. */
interface Case {
  readonly what: string;
  readonly line: string | Buffer;
  readonly pieces: readonly { readonly bytes: string | Buffer; readonly file: string; readonly arrival?: true }[];
}

const EVENT = eventLine({ id: 'plain' });

const cases: Case[] = [];

/** Goes through as it was written, to this file. */
function passes(what: string, line: string | Buffer, file: string): void {
  cases.push({ what, line, pieces: [{ bytes: line, file }] });
}

/** Goes through as it was written, by its time of arrival, to this file. */
function arrives(what: string, line: string | Buffer, file: string): void {
  cases.push({ what, line, pieces: [{ bytes: line, file, arrival: true }] });
}

function skipped(what: string, line: string | Buffer): void {
  cases.push({ what, line, pieces: [] });
}

/** Without the brace that opens it. */
function rest(id: string): string {
  return eventLine({ id, namespace: 'unseen' }).slice(1);
}

const time = JSON.stringify(new Date(HOUR_START).toISOString());

passes('an event', EVENT, 'team-a');
passes(
  'keys with escapes',
  `{"object\\u0052ef":{"n\\u0061mespace":"escaped"},"stageTimest\\u0061mp":${time}}`,
  'escaped',
);
passes('a value with escapes', `{"objectRef":{"namespace":"\\u0065sc\\u0061ped"},"stageTimestamp":${time}}`, 'escaped');
passes('duplicate keys', `{"objectRef":{"namespace":"first","namespace":"last"},"stageTimestamp":${time}}`, 'last');
passes(
  'duplicate parents',
  `{"objectRef":{"namespace":"first"},"objectRef":{"namespace":"last"},"stageTimestamp":${time}}`,
  'last',
);
passes(
  'a duplicate parent without the key',
  `{"objectRef":{"namespace":"first"},"objectRef":{},"stageTimestamp":${time}}`,
  '_none',
);
passes(
  'a duplicate key spelt with an escape',
  `{"objectRef":{"namespace":"first","n\\u0061mespace":"last"},"stageTimestamp":${time}}`,
  'last',
);
passes('a namespace that is null', `{"objectRef":{"namespace":null},"stageTimestamp":${time}}`, '_none');
passes('a namespace that is an object', `{"objectRef":{"namespace":{"a":1}},"stageTimestamp":${time}}`, '_none');
passes('a namespace that is a number', `{"objectRef":{"namespace":12},"stageTimestamp":${time}}`, '12');
passes('an objectRef that is a list', `{"objectRef":[{"namespace":"x"}],"stageTimestamp":${time}}`, '_none');
passes(
  'a key with a dot',
  `{"objectRef.namespace":"x","objectRef":{"namespace":"dotted"},"stageTimestamp":${time}}`,
  'dotted',
);
passes('__proto__', `{"__proto__":{"objectRef":{"namespace":"x"}},"stageTimestamp":${time}}`, '_none');
passes('CRLF', `${eventLine({ id: 'crlf' })}\r`, 'team-a');
passes('white space around', ` \t${eventLine({ id: 'spaces' })} \t`, 'team-a');
passes(
  'many objects deep',
  `{"objectRef":{"namespace":"deep"},"stageTimestamp":${time},"x":${nested('{"a":', '}')}}`,
  'deep',
);
passes(
  'many lists deep',
  `{"objectRef":{"namespace":"deep"},"stageTimestamp":${time},"x":${nested('[', ']')}}`,
  'deep',
);
passes(
  'invalid UTF-8 elsewhere',
  latin1(`{"objectRef":{"namespace":"utf"},"stageTimestamp":${time},"x":"\xff\xc3\x28\xed\xa0\x80"}`),
  'utf',
);
passes(
  'invalid UTF-8 in the namespace',
  latin1(`{"objectRef":{"namespace":"\xff"},"stageTimestamp":${time}}`),
  '_invalid',
);

for (const [what, text] of [
  ['year 9999', '9999-12-31T23:59:59Z'],
  ['year 1', '0001-01-01T00:00:00Z'],
  ['the epoch', '1970-01-01T00:00:00Z'],
  ['no time', 'yesterday'],
  ['an empty time', ''],
  ['a month 13', '2024-13-06T07:00:00Z'],
  ['far ahead', '2999-05-06T07:00:00Z'],
  ['a time of 4 KB', '2'.repeat(4096)],
  ['a path', '../../../2024-05-06T07:00:00Z'],
] as const) {
  arrives(what, `{"objectRef":{"namespace":"time"},"what":"${what}","stageTimestamp":"${text}"}`, 'time');
}
arrives('a time that is a number', '{"objectRef":{"namespace":"time"},"stageTimestamp":1714978800000}', 'time');
arrives('no time at all', '{"objectRef":{"namespace":"time"}}', 'time');
passes(
  'the second field where the first is absurd',
  `{"objectRef":{"namespace":"second"},"requestReceivedTimestamp":${time},"stageTimestamp":"9999-12-31T23:59:59Z"}`,
  'second',
);

for (const [what, line] of [
  ['a list', '[]'],
  ['a list of events', `[${EVENT}]`],
  ['null', 'null'],
  ['a number', '12'],
  ['a string', '"{}"'],
  ['text', 'panic: runtime error'],
  ['an open brace', '{'],
  ['a trailing comma', '{"a":1,}'],
  ['a comment', '{"a":1}//'],
  ['two objects', '{"a":1}{"a":2}'],
  ['NaN', '{"a":NaN}'],
  ['single quotes', "{'a':1}"],
  ['a tab in a string', '{"a":"\t"}'],
  ['a NUL in a string', '{"a":"\0"}'],
  ['a NUL in the middle', `${EVENT}\0`],
  ['a half escape', '{"a":"\\u00"}'],
  ['never closed', nested('{"a":', '').slice(0, -1)],
  ['lists never closed', '['.repeat(1_000_000)],
  ['half an event', EVENT.slice(0, 60)],
  ['only brackets', `{"a":${'['.repeat(1_000_000)}`],
  ['beginnings of events', '{"kind":"Event","apiVersion":"audit.k8s.io/v1","a":'.repeat(20_000)],
  ['bytes', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10 && byte !== 0))],
  ['a byte order mark alone', '\ufeff'],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
] as const) {
  arrives(what, line, '_unparsed');
}

for (const [what, line] of [
  ['nothing', ''],
  ['a carriage return', '\r'],
  ['spaces', '  \t '],
  ['NULs', '\0\0\0'],
  ['NULs and a carriage return', '\0\0\r'],
] as const) {
  skipped(what, line);
}

for (const [what, before] of [
  ['half an event', `{${rest('torn')}`.slice(0, 80)],
  ['a byte order mark', '\ufeff'],
  ['text', 'log line without newline '],
  ['a whole event', `{${rest('glued')}`],
] as const) {
  const whole = eventLine({ id: `behind ${what}` });
  cases.push({
    what: `an event behind ${what}`,
    line: before + whole,
    pieces: [
      { bytes: before, file: '_unparsed', arrival: true },
      { bytes: whole, file: 'team-a' },
    ],
  });
}
{
  const whole = eventLine({ id: 'behind NULs' });
  cases.push({ what: 'an event behind NULs', line: `\0\0\0${whole}`, pieces: [{ bytes: whole, file: 'team-a' }] });
}

function nested(open: string, close: string): string {
  return `${open.repeat(1_000_000)}1${close.repeat(1_000_000)}`;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function join(lines: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));
}

/** The hours in which lines that go by their arrival may have been filed. */
function hours(from: number): Set<string> {
  const name = (ms: number) => new Date(ms).toISOString().slice(0, 13).replace(/\D/g, '');
  return new Set([name(from), name(Date.now())]);
}

describe('malformed lines', () => {
  test(`${cases.length} kinds of lines, each in the file where it belongs, byte for byte`, async () => {
    await using scene = new Scene();
    const started = Date.now();
    writeFileSync(scene.log, join(cases.map(({ line }) => line)));
    const { code, log } = await scene.runToEnd();
    assert.equal(code, 0, JSON.stringify(log));
    const arrival = hours(started);

    const expected = new LineMultiset();
    const wanted = new Map<string, { what: string; file: string; arrival?: true }[]>();
    for (const { what, pieces } of cases) {
      for (const { bytes, ...piece } of pieces) {
        const hash = hashLine(bytes);
        expected.expect(hash);
        const key = hash.toString('hex');
        wanted.set(key, [...(wanted.get(key) ?? []), { what, ...piece }]);
      }
    }
    const wrong: string[] = [];
    const comparison = await scene.compare(expected, {
      describe: (hash) =>
        wanted
          .get(hash)!
          .map(({ what }) => what)
          .join(' or '),
      onLine: (found, { bytes }) => {
        const hour = /\.(\d{10})\.log\.gz$/.exec(found)?.[1] ?? '';
        const places = wanted.get(hashLine(bytes).toString('hex')) ?? [];
        const fits = places.some(
          ({ file, arrival: arrives }) =>
            found === `audit-${file}.${hour}.log.gz` && (arrives ? arrival.has(hour) : hour === HOUR_NAME),
        );
        if (!fits)
          wrong.push(`${places.map(({ what }) => what).join(' or ') || bytes.toString('utf8', 0, 80)}: ${found}`);
      },
    });
    assert.deepEqual(wrong, []);
    assertExact(comparison);
  });

  test('a log of nothing but noise, without a newline at its end', async () => {
    await using scene = new Scene();
    const noise = Buffer.alloc(3 * 1024 * 1024);
    for (let at = 0, state = 7; at < noise.length; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      noise[at] = state >>> 24;
    }
    writeFileSync(scene.log, noise);
    scene.writer.rotate('rename');
    const expected = new LineMultiset();
    for (let start = 0; start < noise.length; ) {
      const newline = noise.indexOf(10, start);
      const end = newline < 0 ? noise.length : newline;
      // NULs at the start of a line are skipped, and so is what is blank without them.
      while (start < end && noise[start] === 0) start += 1;
      const line = noise.subarray(start, end);
      if (line.some((byte) => byte !== 9 && byte !== 13 && byte !== 32)) expected.expect(hashLine(line));
      start = end + 1;
    }
    assert.equal((await scene.runToEnd()).code, 0);
    const comparison = await scene.compare(expected);
    assertExact(comparison);
    assert.deepEqual(
      comparison.files.map(({ file }) => file.split('.')[0]).filter((tag) => tag !== 'audit-_unparsed'),
      [],
    );
  });
});
