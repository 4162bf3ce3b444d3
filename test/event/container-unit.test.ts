import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SourceStream } from '../../src/config/types.ts';
import { type ContainerFormat, containerLine, streamBits } from '../../src/event/container-format.ts';
import { ContainerUnit } from '../../src/event/container-unit.ts';
import { criPart, dockerPart } from '../helpers/container-log.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';

/** All units of a log, each with what it gives: lines, and in brackets lines that are none of the format. */
function unitsOf(format: ContainerFormat, stream: SourceStream, log: string, places = false): string[][] {
  const unit = new ContainerUnit(containerLine(format), streamBits(stream));
  const buffer = Buffer.from(log);
  const units: string[][] = [];
  let given: string[] = [];
  const taker = {
    line: (bytes: Buffer, start: number, end: number) => {
      const text = bytes.toString('utf8', start, end);
      given.push(places ? `${text} at ${text.split('').map((_, index) => unit.placeOf(index))}` : text);
    },
    badLine: (bytes: Buffer, start: number, end: number, at: number, reason: string) =>
      given.push(`[${bytes.toString('utf8', start, end)}] ${at}: ${reason}`),
  };
  const take = () => {
    if (unit.otherLines > 0) given.push(`${unit.otherLines} others`);
    unit.take(buffer, taker);
    units.push(given);
    given = [];
  };
  for (let at = 0; at < buffer.length; ) {
    const newline = buffer.indexOf(10, at);
    const end = newline < 0 ? buffer.length : newline;
    unit.add(buffer, at, end);
    if (!unit.isOpen) take();
    at = end + 1;
  }
  if (unit.isOpen) take();
  return units;
}

const FORMATS = { cri: criPart, docker: dockerPart } as const;

for (const [format, part] of Object.entries(FORMATS) as [ContainerFormat, typeof criPart][]) {
  describe(format, () => {
    const out = (text: string, isPartial = false) => part({ text, isPartial });
    const err = (text: string, isPartial = false) => part({ text, isPartial, stream: 'stderr' });

    test('whole lines are a unit each', () => {
      assert.deepEqual(unitsOf(format, 'stdout', out('one') + out('') + out('three')), [['one'], [''], ['three']]);
    });

    test('parts are one', () => {
      const log = out('a', true) + out('b', true) + out('c') + out('d', true) + out('');
      assert.deepEqual(unitsOf(format, 'stdout', log), [['abc'], ['d']]);
    });

    test('lines of another stream stand between parts, and are passed over', () => {
      const log = out('a', true) + err('x', true) + err('y') + out('b') + err('z');
      assert.deepEqual(unitsOf(format, 'stdout', log), [['2 others', 'ab'], ['1 others']]);
      assert.deepEqual(unitsOf(format, 'stderr', log), [['1 others'], ['xy'], ['1 others'], ['z']]);
    });

    test('with all streams, a unit ends where none is in the middle of a line', () => {
      const log = out('a', true) + err('x', true) + out('b') + out('c', true) + err('y') + out('d') + out('e');
      assert.deepEqual(unitsOf(format, 'all', log), [['ab', 'xy', 'cd'], ['e']]);
    });

    test('what is left open comes last, in the order in which it began', () => {
      const log = out('a', true) + err('x', true) + err('y') + err('z', true) + out('b', true);
      assert.deepEqual(unitsOf(format, 'all', log), [['xy', 'ab', 'z']]);
    });

    test('a line that is none of the format is given as it is, in its place', () => {
      const [first, second] = unitsOf(format, 'stdout', `${out('a')}{}\n${out('b', true)}oops\n${out('c')}`).slice(1);
      assert.match(first![0]!, /^\[\{\}\] \d+: /);
      assert.match(second![0]!, /^\[oops\] \d+: /);
      assert.equal(second![1], 'bc');
    });

    test('each byte of a line has its place in the log', () => {
      const log = out('one') + out('t"', true) + out('wo');
      const at = (text: string) => log.indexOf(text);
      const quote = format === 'docker' ? at('t\\"') : at('t"');
      const two = log.lastIndexOf('wo');
      assert.deepEqual(unitsOf(format, 'stdout', log, true), [
        [`one at ${at('one')},${at('one') + 1},${at('one') + 2}`],
        [`t"wo at ${quote},${quote + 1},${two},${two + 1}`],
      ]);
    });

    test('any lines, cut into any parts, in any order of the streams, come out as they were', () => {
      const line = fc.record({
        text: fc.string({ unit: fc.constantFrom(...'ab"\\ é{}'), maxLength: 12 }),
        cuts: fc.array(fc.nat(12), { maxLength: 3 }),
      });
      const lines = fc.array(line, { maxLength: 8 });
      fc.assert(
        fc.property(lines, lines, fc.infiniteStream(fc.boolean()), (stdout, stderr, turns) => {
          const parts = (all: typeof stdout, stream: 'stdout' | 'stderr') =>
            all.flatMap(({ text, cuts }) => {
              // Between characters, as a cut in the middle of one would not be text.
              const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
              return places
                .slice(1)
                .map((place, index) =>
                  part({ text: text.slice(places[index], place), isPartial: index < places.length - 2, stream }),
                );
            });
          const queues = [parts(stdout, 'stdout'), parts(stderr, 'stderr')] as const;
          let log = '';
          while (queues[0].length + queues[1].length > 0) {
            const turn = turns.next().value;
            const queue = queues[(turn && queues[1].length > 0) || queues[0].length === 0 ? 1 : 0];
            log += queue.shift();
          }
          const given = (stream: SourceStream) =>
            unitsOf(format, stream, log)
              .flat()
              .filter((text) => !/ others$/.test(text));
          const texts = (all: typeof stdout) => all.map(({ text }) => text);
          assert.deepEqual(given('stdout'), texts(stdout));
          assert.deepEqual(given('stderr'), texts(stderr));
          assert.deepEqual(given('all').toSorted(), [...texts(stdout), ...texts(stderr)].toSorted());
        }),
        fuzz(500),
      );
    });
  });
}

test('a newline in the middle of what a Docker line says ends a line', () => {
  const log = dockerPart({ text: 'a\nb', isPartial: true }) + dockerPart({ text: 'c\n\nd' });
  assert.deepEqual(unitsOf('docker', 'stdout', log), [['a', 'bc', '', 'd']]);
});
