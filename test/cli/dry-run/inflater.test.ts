import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AuditEvents } from '../../../bench/audit-events.ts';
import { Inflater } from '../../../src/cli/dry-run/inflater.ts';

const TEXT = Buffer.from([...new AuditEvents({ count: 300 })].join('\n'));

async function inflate(compressed: Buffer, pieceBytes: number) {
  const chunks: Buffer[] = [];
  const inflater = new Inflater((chunk) => chunks.push(chunk));
  let code: unknown;
  try {
    for (let at = 0; at < compressed.length; at += pieceBytes) {
      await inflater.write(compressed.subarray(at, at + pieceBytes));
    }
    await inflater.end();
  } catch (error) {
    code = (error as NodeJS.ErrnoException).code;
  } finally {
    inflater.destroy();
  }
  return { content: Buffer.concat(chunks), code };
}

test('one member, several members, and pieces that end between two members', async () => {
  const half = TEXT.length >> 1;
  const first = gzipSync(TEXT.subarray(0, half));
  const members = Buffer.concat([first, gzipSync(''), gzipSync(TEXT.subarray(half))]);
  for (const [compressed, piece] of [
    [gzipSync(TEXT), 1000],
    [members, members.length],
    [members, first.length],
    [members, first.length + 1],
    [members, 7],
  ] as const) {
    const { content, code } = await inflate(compressed, piece);
    assert.equal(code, undefined);
    assert.ok(content.equals(TEXT), `pieces of ${piece} bytes`);
  }
});

test('of input that is cut off, everything before the cut comes out', async () => {
  const text = TEXT.subarray(0, 60_000);
  const compressed = gzipSync(text, { level: 1 });
  for (const cut of [compressed.length - 1, compressed.length - 9, compressed.length >> 1, 300]) {
    const { content, code } = await inflate(compressed.subarray(0, cut), 64 * 1024);
    assert.equal(code, 'Z_BUF_ERROR');
    // zlib gives out all it has when it is given one byte after the other.
    const slow = await inflate(compressed.subarray(0, cut), 1);
    assert.ok(content.equals(slow.content), `cut at ${cut}`);
    assert.ok(content.equals(text.subarray(0, content.length)));
    if (cut > 1000) assert.ok(content.length > 0);
  }
});

test('damage in the middle is an error, and what is far before it comes out', async () => {
  const compressed = gzipSync(TEXT);
  compressed.fill(0xff, compressed.length - 1000, compressed.length - 900);
  const { content, code } = await inflate(compressed, 4096);
  assert.match(String(code), /^Z_/);
  assert.ok(content.length > TEXT.length / 2);
});

test('what is no gzip behind the last member is an error', async () => {
  const { content, code } = await inflate(Buffer.concat([gzipSync(TEXT), Buffer.from('garbage')]), 1 << 20);
  assert.match(String(code), /^Z_/);
  assert.ok(content.length <= TEXT.length);
});
