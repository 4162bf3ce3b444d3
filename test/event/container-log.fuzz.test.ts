import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { auditLines } from '../../bench/audit-lines.ts';
import { type ContainerFormat, containerLine, streamBits } from '../../src/event/container-format.ts';
import { STDOUT } from '../../src/event/container-line.ts';
import { ContainerUnit } from '../../src/event/container-unit.ts';
import { parseTimestamp } from '../../src/event/timestamp.ts';
import { criPart, dockerPart } from '../helpers/container-log.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { mutated } from '../helpers/mutations.ts';

const PARTS = { cri: criPart, docker: dockerPart } as const;

const TEXTS = [
  ...auditLines(6000).map(({ bytes }) => bytes.toString()),
  '',
  'I0115 09:00:00.000000 1 klog.go:1] "text"',
  'é"\\\n\t\u2028<&>',
];

const TOKENS: Readonly<Record<ContainerFormat, readonly string[]>> = {
  cri: [' stdout P ', ' stderr F ', 'P:F', '2026-11-20T15:04:05.123456789+02:00', '\n', ' '],
  docker: ['"log":"', '\\n","stream":"stdout"', '"stream":"stderr"', '\\u000a', '\\ud83d', '\n', '"time":7'],
};

/** A line of a container's log, as far as it is one: what its wrapper says, in the plainest way. */
interface Wrapped {
  readonly stream: string;
  readonly isPartial: boolean;
  readonly said: string;
}

function readCri(line: Buffer): Wrapped | undefined {
  const match = /^([^ ]*) (stdout|stderr) ([PF])(?::[^ ]*)?(?: (.*))?$/s.exec(line.toString('latin1'));
  if (match === null || parseTimestamp(line, 0, match[1]!.length) === undefined) return undefined;
  const said = Buffer.from(match[4] ?? '', 'latin1').toString();
  return { stream: match[2]!, isPartial: match[3] === 'P', said };
}

function readDocker(line: Buffer): Wrapped | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { log, stream } = value as Record<string, unknown>;
  if (typeof log !== 'string' || (stream !== 'stdout' && stream !== 'stderr')) return undefined;
  const isPartial = !log.endsWith('\n');
  return { stream, isPartial, said: (isPartial ? log : log.slice(0, -1)).toWellFormed() };
}

const READERS = { cri: readCri, docker: readDocker } as const;

for (const format of ['cri', 'docker'] as const) {
  describe(format, () => {
    const lines = TEXTS.flatMap((text, index) => [
      PARTS[format]({ text }),
      PARTS[format]({ text, isPartial: true, stream: index % 2 === 0 ? 'stdout' : 'stderr' }),
    ]);

    test('a damaged line says what its wrapper says, or is none', () => {
      const line = containerLine(format);
      const one = mutated(
        lines.map((text) => text.slice(0, -1)),
        { tokens: TOKENS[format] },
      );
      let read = 0;
      const property = fc.property(one, fc.nat(3), (bytes, room) => {
        // Other bytes stand around the line.
        const buffer = Buffer.concat([Buffer.alloc(room, '"'), bytes, Buffer.alloc(room, ' stdout F x')]);
        const end = room + bytes.length;
        const expected = READERS[format](bytes);
        assert.equal(line.read(buffer, room, end), expected !== undefined, line.errorReason);
        if (expected === undefined) {
          assert.ok(line.errorOffset >= room && line.errorOffset <= end && line.errorReason !== '');
          return;
        }
        read += 1;
        const target = Buffer.alloc(bytes.length + 8, 0xee);
        const said = line.decode(buffer, line.start, line.end, target, 0);
        assert.ok(said <= line.end - line.start && target.subarray(said).every((byte) => byte === 0xee));
        assert.equal(target.toString('utf8', 0, said), expected.said);
        assert.equal(line.isPartial, expected.isPartial);
        assert.equal(line.stream === STDOUT ? 'stdout' : 'stderr', expected.stream);
        for (const index of [0, said >> 1, said]) {
          const place = line.place(buffer, line.start, line.end, index);
          assert.ok(place >= line.start && place <= line.end);
        }
        line.time(buffer);
      });
      fc.assert(property, fuzz(20_000));
      assert.ok(read > 100, `${read} lines were read`);
    });

    test('of a damaged log each line comes once: joined, as it is, or counted', () => {
      const logs = [lines.join(''), lines.slice(-4).join(''), lines.toReversed().join('')];
      const property = fc.property(
        mutated(logs, { tokens: TOKENS[format], most: 12 }),
        fc.constantFrom('stdout' as const, 'all' as const),
        (log, stream) => {
          assert.deepEqual(unitsOf(format, stream, log), expectedOf(format, stream, log));
        },
      );
      fc.assert(property, fuzz(2000));
    });
  });
}

interface Given {
  readonly lines: string[];
  readonly bad: string[];
  others: number;
}

function logLines(log: Buffer): [start: number, end: number][] {
  const lines: [number, number][] = [];
  for (let at = 0; at < log.length; ) {
    const newline = log.indexOf(10, at);
    lines.push([at, newline < 0 ? log.length : newline]);
    at = (newline < 0 ? log.length : newline) + 1;
  }
  return lines;
}

function unitsOf(format: ContainerFormat, stream: 'stdout' | 'all', log: Buffer): Given {
  const given: Given = { lines: [], bad: [], others: 0 };
  const unit = new ContainerUnit(containerLine(format), streamBits(stream));
  const take = () => {
    given.others += unit.otherLines;
    unit.take(log, {
      line: (buffer, start, end) => {
        given.lines.push(buffer.toString('utf8', start, end));
        const place = unit.placeOf(0);
        assert.ok(place >= 0 && place <= log.length);
      },
      badLine: (buffer, start, end, errorOffset) => {
        assert.ok(errorOffset >= start && errorOffset <= end);
        given.bad.push(buffer.toString('latin1', start, end));
      },
    });
  };
  for (const [start, end] of logLines(log)) {
    unit.add(log, start, end);
    if (!unit.isOpen) take();
  }
  take();
  given.lines.sort();
  return given;
}

/** The same in the plainest way, of each stream by itself; the order of lines of two streams is another test's. */
function expectedOf(format: ContainerFormat, stream: 'stdout' | 'all', log: Buffer): Given {
  const given: Given = { lines: [], bad: [], others: 0 };
  const open = new Map<string, Buffer>();
  const line = containerLine(format);
  const give = (said: Buffer) => given.lines.push(...said.toString('latin1').split('\n'));
  for (const [start, end] of logLines(log)) {
    if (!line.read(log, start, end)) {
      given.bad.push(log.toString('latin1', start, end));
      continue;
    }
    const name = line.stream === STDOUT ? 'stdout' : 'stderr';
    if (stream !== 'all' && stream !== name) {
      given.others += 1;
      continue;
    }
    const part = Buffer.alloc(end - start);
    const said = Buffer.concat([
      open.get(name) ?? Buffer.alloc(0),
      part.subarray(0, line.decode(log, line.start, line.end, part, 0)),
    ]);
    if (line.isPartial) {
      open.set(name, said);
    } else {
      open.delete(name);
      give(said);
    }
  }
  for (const said of open.values()) give(said);
  given.lines.splice(
    0,
    given.lines.length,
    ...given.lines.map((text) => Buffer.from(text, 'latin1').toString()).sort(),
  );
  return given;
}
