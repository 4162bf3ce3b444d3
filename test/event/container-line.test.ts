import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ContainerFormat, containerLine } from '../../src/event/container-format.ts';
import { STDERR, STDOUT } from '../../src/event/container-line.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';

/** Something in front, so that a place in the line is none in the buffer. */
const BEFORE = 'before\n';

interface Read {
  readonly stream: 'stdout' | 'stderr';
  readonly isPartial: boolean;
  readonly said: Buffer;
  readonly time: number | undefined;
}

function read(format: ContainerFormat, text: string | Buffer): Read | string {
  const line = containerLine(format);
  const buffer = Buffer.concat([Buffer.from(BEFORE), Buffer.from(text), Buffer.from('\nbehind')]);
  const end = buffer.length - '\nbehind'.length;
  if (!line.read(buffer, BEFORE.length, end)) return `${line.errorOffset - BEFORE.length + 1}: ${line.errorReason}`;
  const target = Buffer.alloc(line.end - line.start + 3);
  const length = line.decode(buffer, line.start, line.end, target, 3) - 3;
  return {
    stream: line.stream === STDOUT ? 'stdout' : 'stderr',
    isPartial: line.isPartial,
    said: target.subarray(3, 3 + length),
    time: line.time(buffer),
  };
}

function said(format: ContainerFormat, text: string): string {
  const line = read(format, text);
  assert.ok(typeof line === 'object', `${text}: ${String(line)}`);
  return line.said.toString();
}

const TIME = '2026-11-20T15:04:05.123456789Z';
const MS = Date.parse('2026-11-20T15:04:05.123Z');

describe('cri', () => {
  const cri = (text: string | Buffer) => read('cri', text);
  const line = { stream: 'stdout', isPartial: false, said: Buffer.from('{"a": 1}'), time: MS } as const;

  test('containerd and CRI-O', () => {
    assert.deepEqual(cri(`${TIME} stdout F {"a": 1}`), line);
    assert.deepEqual(cri(`${TIME} stderr P {"a": 1}`), { ...line, stream: 'stderr', isPartial: true });
    assert.deepEqual(cri('2026-11-20T16:04:05.123456789+01:00 stdout F {"a": 1}'), line);
    assert.deepEqual(cri('2026-11-20T15:04:05Z stdout F {"a": 1}'), { ...line, time: MS - 123 });
  });

  test('the first tag counts, and more may follow', () => {
    assert.deepEqual(cri(`${TIME} stdout P:later:F {"a": 1}`), { ...line, isPartial: true });
    assert.deepEqual(cri(`${TIME} stdout F:P {"a": 1}`), line);
  });

  test('the content is what is behind one space, byte for byte', () => {
    for (const content of ['', ' ', '  x ', '\t', 'F P stdout', '{"x":"\\n"}', '"\r']) {
      assert.equal(said('cri', `${TIME} stdout F ${content}`), content);
    }
    const bytes = Buffer.from([0xff, 0, 0xfe, 0x20]);
    const found = cri(Buffer.concat([Buffer.from(`${TIME} stdout P `), bytes]));
    assert.deepEqual(typeof found === 'object' && found.said, bytes);
    assert.equal(said('cri', `${TIME} stdout F`), '', 'without the last space');
  });

  test('anything else is none, and it is said where', () => {
    assert.equal(cri(''), '1: expected the time of a CRI log');
    assert.equal(cri('{"kind":"Event"}'), '1: expected the time of a CRI log');
    assert.equal(cri(TIME), '31: expected stdout or stderr', 'at its end');
    assert.equal(cri(`${TIME} stdin F x`), '32: expected stdout or stderr');
    assert.equal(cri(`${TIME} stdoutF x`), '32: expected stdout or stderr');
    assert.equal(cri(`${TIME} stdout `), '39: expected P or F');
    assert.equal(cri(`${TIME} stdout X x`), '39: expected P or F');
    assert.equal(cri(`${TIME} stdout FP x`), '39: expected P or F');
    assert.equal(cri('2026-13-20T15:04:05Z stdout F x'), '1: expected the time of a CRI log');
    assert.equal(cri(`${TIME}  stdout F x`), '32: expected stdout or stderr');
  });
});

describe('docker', () => {
  const docker = (text: string) => read('docker', text);
  const line = { stream: 'stdout', isPartial: false, said: Buffer.from('{"a": 1}'), time: MS } as const;
  const LOG = String.raw`"log":"{\"a\": 1}\n"`;

  test('the json-file driver', () => {
    assert.deepEqual(docker(`{${LOG},"stream":"stdout","time":"${TIME}"}`), line);
    assert.deepEqual(docker(`{"time":"${TIME}", "attrs":{"tag":"x","log":"no"},"stream":"stdout", ${LOG}}`), line);
    assert.deepEqual(docker(`{${LOG},"stream":"stderr"}`), { ...line, stream: 'stderr', time: undefined });
  });

  test('what does not end in a newline is a part', () => {
    const isPartial = (log: string) => {
      const found = docker(`{"log":"${log}","stream":"stdout"}`);
      return typeof found === 'object' ? found.isPartial : found;
    };
    assert.equal(isPartial('x'), true);
    assert.equal(isPartial(''), true);
    assert.equal(isPartial(String.raw`\n`), false);
    assert.equal(isPartial(String.raw`x\\n`), true, 'a backslash and an n');
    assert.equal(isPartial(String.raw`x\\\n`), false);
    assert.equal(isPartial(String.raw`x\u000a`), false);
    assert.equal(isPartial(String.raw`x\u000A`), false);
    assert.equal(isPartial(String.raw`x\\u000a`), true);
    assert.equal(isPartial(String.raw`\nx`), true);
  });

  test('anything else is none, and it is said where', () => {
    assert.equal(docker(''), '1: unexpected end');
    assert.equal(docker('[1]'), '1: not a JSON object');
    assert.equal(docker('{"kind":"Event","stream":"stdout"}'), '1: not a line of a Docker log: no log');
    assert.equal(docker('{"log":7,"stream":"stdout"}'), '8: not a line of a Docker log: no log');
    assert.match(String(docker(`{${LOG}}`)), /^1: .*stream is neither stdout nor stderr$/);
    assert.match(String(docker(`{${LOG},"stream":"stdin"}`)), /^\d+: .*stream is neither/);
    assert.equal(docker(String.raw`{"log":"\q\n","stream":"stdout"}`), '10: invalid escape in a string');
    assert.equal(docker(String.raw`{"log":"\u12g4\n","stream":"stdout"}`), '13: invalid escape in a string');
    assert.equal(docker('{"log":"\t\\n","stream":"stdout"}'), '9: control character in a string');
  });

  test('escapes say what JSON.parse makes of them', () => {
    for (const escaped of [
      String.raw`\"\\\/\b\f\r\t`,
      String.raw`\u0000\u001f\u0022\u005c\u007f`,
      String.raw`\u0080\u07ff\u0800\uffff\uFEFF`,
      String.raw`\ud83d\ude00 \uD83D\uDE00`,
      String.raw`\ud83d`,
      String.raw`\ude00\ud83d`,
      String.raw`\ud83d\ud83d\ude00`,
      String.raw`\ud83dx\ude00`,
      String.raw`\ud83d\n\ude00`,
      String.raw`\ud83d\u0041`,
      String.raw`\u003c\u003e\u0026\u2028`,
      'é€😀',
    ]) {
      const text = `{"log":"${escaped}\\n","stream":"stdout"}`;
      assert.equal(said('docker', text), Buffer.from(JSON.parse(text).log.slice(0, -1)).toString(), escaped);
    }
  });

  test('any string, however it is escaped, says what JSON.parse makes of it', () => {
    const unit = fc.tuple(fc.nat(0xffff), fc.nat(3)).map(([code, how]) => {
      const text = String.fromCharCode(code);
      if (how === 0) return `\\u${code.toString(16).padStart(4, '0')}`;
      if (how === 1) return JSON.stringify(String.fromCharCode(code % 0x80)).slice(1, -1);
      return JSON.stringify(text).slice(1, -1);
    });
    const pair = fc
      .integer({ min: 0x10000, max: 0x10ffff })
      .map((code) => JSON.stringify(String.fromCodePoint(code)).slice(1, -1));
    const surrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => `\\u${code.toString(16)}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(unit, pair, surrogate), { maxLength: 30 }), (units) => {
        const text = Buffer.from(`{"log":"${units.join('')}","stream":"stdout"}`);
        const log: string = JSON.parse(text.toString()).log;
        const found = read('docker', text);
        assert.ok(typeof found === 'object');
        assert.equal(found.isPartial, !log.endsWith('\n'));
        assert.deepEqual(found.said, Buffer.from(log.endsWith('\n') ? log.slice(0, -1) : log));
      }),
      fuzz(2000),
    );
  });

  test('each byte of what is said has its place', () => {
    const text = Buffer.from(String.raw`{"log":"a\"é\u20ac\ud83d\ude00z\n","stream":"stdout"}`);
    const docker = containerLine('docker');
    assert.ok(docker.read(text, 0, text.length));
    const places = Array.from({ length: 12 }, (_, index) => docker.place(text, docker.start, docker.end, index) - 8);
    //                         a  \" é     \u20ac   the pair          z   behind it
    assert.deepEqual(places, [0, 1, 3, 4, 5, 5, 5, 11, 11, 11, 11, 23]);
  });
});

test('the streams are different bits', () => {
  assert.equal(STDOUT & STDERR, 0);
});
