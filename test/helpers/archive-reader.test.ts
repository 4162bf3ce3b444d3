import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, type TestContext, test } from 'node:test';
import { constants, deflateRawSync, gzipSync, crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { AuditEvents } from '../../bench/audit-events.ts';
import { archiveFiles, compareArchive, gzipTest, readLines } from './archive-reader.ts';
import { crc32 } from './crc32.ts';
import { readGzip } from './gzip-reader.ts';
import { hashLine, LineMultiset } from './line-multiset.ts';

const root = mkdtempSync(join(tmpdir(), 'auditail-reader-'));
after(() => rmSync(root, { recursive: true, force: true }));

let directory = '';
let count = 0;
beforeEach(() => {
  directory = join(root, String(count++));
  mkdirSync(directory);
});

function expecting(lines: readonly (string | Buffer)[]): LineMultiset {
  const set = new LineMultiset();
  for (const line of lines) set.expect(hashLine(line));
  return set;
}

function write(name: string, ...members: Buffer[]): string {
  const path = join(directory, name);
  writeFileSync(path, Buffer.concat(members));
  return path;
}

const text = (lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => `${line}\n`).join(''));

async function content(path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of readGzip(path)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What was inflated before the error, and the error. */
async function damaged(path: string): Promise<{ bytes: number; message: string }> {
  let bytes = 0;
  try {
    for await (const piece of readGzip(path)) bytes += piece.length;
  } catch (error) {
    return { bytes, message: (error as Error).message };
  }
  throw new Error(`${path} was read without an error`);
}

/** The second opinion of the gzip program, where there is one. */
async function agreesWithGzip(t: TestContext, path: string, valid: boolean): Promise<void> {
  const verdict = await gzipTest(path);
  if (verdict === 'missing') t.diagnostic('no gzip program here: not asked for a second opinion');
  else assert.equal(verdict === 'valid', valid, JSON.stringify(verdict));
}

describe('crc32', () => {
  test('agrees with zlib, whole and in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        assert.equal(crc32(0, bytes), zlibCrc32(bytes));
        assert.equal(crc32(crc32(0, bytes.subarray(0, cut)), bytes.subarray(cut)), zlibCrc32(bytes));
      }),
    );
  });
});

describe('readGzip', () => {
  test('reads members of any size, empty ones too', async (t) => {
    const parts = [...new AuditEvents({ count: 300, seed: 2, meanBytes: 4000 })].map((line) => Buffer.from(line));
    const path = write('members.gz', ...parts.map((part) => gzipSync(part)), gzipSync(''), gzipSync('end'));
    assert.deepEqual(await content(path), Buffer.concat([...parts, Buffer.from('end')]));
    await agreesWithGzip(t, path, true);
  });

  test('reads a member that was continued with blocks on a dictionary', async (t) => {
    const parts = Array.from({ length: 40 }, (_, i) => Buffer.from(`${i} the same words again, line after line\n`));
    let written = Buffer.alloc(0);
    const blocks = parts.map((part) => {
      const options = { finishFlush: constants.Z_SYNC_FLUSH };
      const dictionary = written.subarray(-32768);
      const block = deflateRawSync(part, dictionary.length === 0 ? options : { ...options, dictionary });
      written = Buffer.concat([written, part]);
      return block;
    });
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(zlibCrc32(written), 0);
    trailer.writeUInt32LE(written.length, 4);
    const header = Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 0, 255]);
    const path = write('continued.gz', header, ...blocks, Buffer.from([3, 0]), trailer);
    assert.deepEqual(await content(path), written);
    await agreesWithGzip(t, path, true);
  });

  test('refuses a wrong CRC, a wrong length, and damage in any member', async (t) => {
    const first = gzipSync('first member\n');
    const second = gzipSync('second member\n');
    const badCrc = Buffer.from(first);
    badCrc[first.length - 8]! ^= 1;
    const badLength = Buffer.from(first);
    badLength[first.length - 4]! ^= 1;
    const badData = Buffer.from(gzipSync('stored', { level: 0 }));
    badData[17]! ^= 1;
    for (const bad of [badCrc, badLength, badData]) {
      for (const members of [[bad], [bad, second], [second, bad]]) {
        const path = write('bad.gz', ...members);
        assert.match((await damaged(path)).message, /trailer at \d+: (CRC-32|length) is/);
        await agreesWithGzip(t, path, false);
      }
    }
    assert.match((await damaged(write('garbage.gz', first, Buffer.from('garbage behind it')))).message, /invalid gzip/);
  });

  test('refuses a file that is torn anywhere', async () => {
    const first = gzipSync('a first member, whole\n');
    const second = gzipSync('a second member, with its name in the header\n');
    const whole = Buffer.concat([first, second]);
    for (let length = 0; length < whole.length; length++) {
      if (length === first.length) continue;
      const { bytes } = await damaged(write('torn.gz', whole.subarray(0, length)));
      assert.ok(bytes >= (length > first.length ? 22 : 0), `${bytes} bytes inflated of ${length}`);
    }
    assert.equal((await content(write('torn.gz', first))).toString(), 'a first member, whole\n');
  });
});

describe('readLines', () => {
  test('gives lines as exact bytes, across pieces, and tells of a last line without newline', async () => {
    const lines = [
      Buffer.alloc(200_000, 'x'),
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      Buffer.alloc(0),
      Buffer.from('é'),
    ];
    const body = Buffer.concat([...lines.flatMap((line) => [line, Buffer.from('\n')]), Buffer.from('tail')]);
    for (const path of [write('lines.log.gz', gzipSync(body)), write('lines.log', body)]) {
      const found: Buffer[] = [];
      let complete = true;
      for await (const line of readLines(path)) {
        found.push(Buffer.from(line.bytes));
        complete = line.complete;
      }
      assert.deepEqual(found, [...lines, Buffer.from('tail')]);
      assert.equal(complete, false);
    }
  });
});

describe('compareArchive', () => {
  const lines = [...new AuditEvents({ count: 3000, seed: 9 })];

  test('finds nothing to say about an archive that has every line once', async () => {
    write('a.log.gz', gzipSync(text(lines.slice(0, 1000))), gzipSync(text(lines.slice(1000, 2000))));
    mkdirSync(join(directory, 'sub'));
    write('sub/b.log', text(lines.slice(2000)));
    assert.deepEqual(await archiveFiles(directory), ['a.log.gz', 'sub/b.log']);
    const report = await compareArchive(directory, expecting(lines));
    const { expected, archived, lost, duplicated, foreign } = report;
    assert.deepEqual(
      { expected, archived, lost, duplicated, foreign },
      {
        expected: 3000,
        archived: 3000,
        lost: 0,
        duplicated: 0,
        foreign: 0,
      },
    );
    assert.deepEqual(
      report.files.map((file) => [file.file, file.events, file.damage]),
      [
        ['a.log.gz', 2000, undefined],
        ['sub/b.log', 1000, undefined],
      ],
    );
    assert.equal(report.files[0]!.bytes, text(lines.slice(0, 2000)).length);
  });

  test('counts each line as often as it was written', async () => {
    write('a.log', text(['same', 'same', 'same', 'other']));
    assert.equal((await compareArchive(directory, expecting(['same', 'same', 'same', 'other']))).duplicated, 0);
    const fewer = await compareArchive(directory, expecting(['same', 'other', 'other']));
    assert.deepEqual([fewer.lost, fewer.duplicated, fewer.foreign], [1, 2, 0]);
  });

  test('finds a planted loss, duplicate and foreign line, with examples', async () => {
    const planted = [...lines.slice(0, 10), lines[5]!, '{"never":"written"}', ...lines.slice(11)];
    write('audit-default.2026011509.log.gz', gzipSync(text(planted)));
    const expected = expecting(lines);
    const lostHash = hashLine(lines[10]!).toString('hex');
    for (let round = 0; round < 2; round++) {
      const report = await compareArchive(directory, expected, { describe: (hash) => `line ${hash}` });
      assert.deepEqual([report.archived, report.lost, report.duplicated, report.foreign], [3001, 1, 1, 1]);
      assert.deepEqual(report.examples.lost, [`line ${lostHash}`]);
      assert.equal(report.examples.duplicated[0], `audit-default.2026011509.log.gz:11: ${lines[5]!.slice(0, 160)}`);
      assert.equal(report.examples.foreign[0], 'audit-default.2026011509.log.gz:12: {"never":"written"}');
    }
  });

  test('names files that are damaged, and counts what is readable in them', async () => {
    const whole = gzipSync(text(lines.slice(0, 100)));
    write('torn.log.gz', whole, gzipSync(text(lines.slice(100))).subarray(0, -3));
    const report = await compareArchive(directory, expecting(lines));
    assert.match(report.files[0]!.damage ?? '', /torn\.log\.gz: trailer at/);
    assert.equal(report.lost, 0);
    write('torn.log.gz', whole.subarray(0, whole.length / 2));
    const half = await compareArchive(directory, expecting(lines));
    assert.ok(half.archived > 0 && half.archived < 100 && half.lost >= 2900);
    assert.match(half.files[0]!.damage ?? '', /unexpected EOF/);
  });
});

describe('LineMultiset', () => {
  test('agrees with a Map on any sequence', () => {
    const operations = fc.array(fc.record({ line: fc.nat(40), find: fc.boolean() }), { maxLength: 300 });
    fc.assert(
      fc.property(operations, (steps) => {
        const set = new LineMultiset();
        const model = new Map<string, { expected: number; found: number }>();
        for (const { line, find } of steps) {
          const hash = hashLine(`line ${line}`);
          const entry = model.get(hash.toString('hex'));
          if (!find) {
            set.expect(hash);
            if (entry === undefined) model.set(hash.toString('hex'), { expected: 1, found: 0 });
            else entry.expected++;
          } else if (entry === undefined) {
            assert.equal(set.find(hash), 'foreign');
          } else {
            entry.found++;
            assert.equal(set.find(hash), entry.found > entry.expected ? 'duplicate' : 'expected');
          }
        }
        const missing = new Map([...set.missing()].map(({ hash, times }) => [hash, times]));
        const wanted = [...model].filter(([, entry]) => entry.expected > entry.found);
        assert.deepEqual(missing, new Map(wanted.map(([hash, entry]) => [hash, entry.expected - entry.found])));
      }),
    );
  });

  test('reads a ledger back, without a torn last record, and grows', () => {
    const path = join(directory, 'ledger');
    const lines = Array.from({ length: 5000 }, (_, i) => `line ${i % 4000}`);
    writeFileSync(path, Buffer.concat([...lines.map((line) => hashLine(line)), Buffer.alloc(5)]));
    const set = LineMultiset.fromLedger(path);
    assert.equal(set.total, 5000);
    for (const line of lines) assert.equal(set.find(hashLine(line)), 'expected');
    assert.deepEqual([...set.missing()], []);
  });
});
