import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AuditailError } from '../../../../src/errors.ts';
import { nodeFileIo } from '../../../../src/sink/file-io.ts';
import { faultyIo, systemError } from '../../faulty-io.ts';
import { syncedPaths } from '../../synced-paths.ts';
import { drain, events, SpoolWorld } from './spool-harness.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** Three closed segments with ten events each; in each the first five were flushed before the others. */
async function threeSegments(world: SpoolWorld): Promise<void> {
  for (let n = 0; n < 30; n += 10) {
    const spool = await world.open();
    for (const from of [n, n + 5]) {
      spool.append(events(from, from + 5));
      await spool.flush();
    }
    await spool.close();
  }
  assert.deepEqual(world.files, ['0000000001.spool', '0000000002.spool', '0000000003.spool']);
}

function change(file: string, edit: (bytes: Buffer) => Buffer): void {
  fs.writeFileSync(file, edit(fs.readFileSync(file)));
}

/** Changes the line of event `n` in a file. */
function spoilEvent(file: string, n: number): void {
  change(file, (bytes) => {
    bytes[bytes.indexOf(`{"n":${n},`)]! ^= 0x20;
    return bytes;
  });
}

test('directories that a life made which was killed before it synced them are synced', async () => {
  using world = new SpoolWorld();
  fs.mkdirSync(world.directory, { recursive: true });
  const { io, synced } = syncedPaths();
  await world.open(io, 'disk');
  const parent = path.dirname(world.directory);
  for (const one of [world.stateDir, parent, world.directory]) assert.ok(synced.has(one), `${one} was not synced`);
});

test('the torn end of the newest file is cut and told, wherever it was torn', async () => {
  using whole = new SpoolWorld();
  await threeSegments(whole);
  const bytes = fs.readFileSync(whole.file('0000000003.spool'));
  const secondWrite = bytes.indexOf('{"n":25,') - 60;
  for (let length = bytes.length - 1; length >= 0; length -= 31) {
    using world = new SpoolWorld();
    fs.cpSync(whole.directory, world.directory, { recursive: true });
    fs.truncateSync(world.file('0000000003.spool'), length);
    const sent = await drain(await world.open());
    assert.deepEqual(sent, range(0, sent.length));
    assert.ok(sent.length < 30 && sent.length >= (length > secondWrite ? 24 : 20), `${length}: ${sent.length}`);
    assert.ok(
      world.told.every((text) => text.startsWith('cut 0000000003.spool: ')),
      world.told.join(),
    );
    // It is cut for good: another start has nothing to tell.
    world.told.length = 0;
    assert.deepEqual(await drain(await world.open()), sent);
    assert.deepEqual(world.told, []);
  }
});

test('garbage and zeros behind the last write are cut', async () => {
  for (const garbage of [Buffer.alloc(5000), Buffer.alloc(5000, 0x7f), Buffer.from('{"n":1}'.repeat(500))]) {
    using world = new SpoolWorld();
    await threeSegments(world);
    fs.appendFileSync(world.file('0000000003.spool'), garbage);
    assert.deepEqual(await drain(await world.open()), range(0, 30));
    assert.deepEqual(world.told, [`cut 0000000003.spool: ${garbage.length}`]);
  }
});

for (const file of ['0000000002.spool', '0000000003.spool']) {
  test(`one damaged record of ${file} is left out, all others are sent, and the file is kept`, async (t) => {
    const world = new SpoolWorld(t);
    await threeSegments(world);
    const spoilt = file === '0000000002.spool' ? 12 : 22;
    spoilEvent(world.file(file), spoilt);
    const expected = range(0, 30).filter((n) => n !== spoilt);
    assert.deepEqual(await drain(await world.open()), expected);
    const spool = await world.open();
    assert.equal(spool.events, 29);
    assert.deepEqual(await drain(spool, true), expected);
    assert.ok(spool.isEmpty);
    await world.commit(spool);
    assert.deepEqual(world.files, [file.replace('.spool', '.damaged')]);
    assert.equal(world.told.length, 2, 'once for each start');
    assert.match(world.told[0]!, new RegExp(`^damaged ${file}: \\d+ bytes of it hold no readable record$`));
  });
}

test('a length that was changed costs its own record only', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  for (const flip of [0x01, 0x80]) {
    change(world.file('0000000002.spool'), (bytes) => {
      // The record of event 13 begins with its length, 40 bytes and three texts before its line.
      const texts = Buffer.byteLength('audit.täg-1apiserver/var/log/kubernetes/audit/audit.log');
      bytes[bytes.indexOf('{"n":13,') - texts - 40 + (flip === 1 ? 0 : 3)]! ^= flip;
      return bytes;
    });
  }
  assert.deepEqual(
    await drain(await world.open()),
    range(0, 30).filter((n) => n !== 13),
  );
});

test('a middle file without its end is told; what it still has is sent', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  const file = world.file('0000000002.spool');
  const bytes = fs.readFileSync(file);
  // At the very end of a record: only the next file knows that there was more.
  fs.truncateSync(file, bytes.indexOf('{"n":15,') - 40 - Buffer.byteLength('audit.täg-0apiserver') - 35);
  assert.deepEqual(await drain(await world.open()), [...range(0, 15), ...range(20, 30)]);
  assert.match(world.told.join(), /^damaged 0000000002.spool: its last \d+ bytes are missing$/);
});

test('what a start takes of the newest file is synced: the life that wrote it may have been killed before', async () => {
  using world = new SpoolWorld();
  await threeSegments(world);
  for (const torn of [0, 7]) {
    const file = world.file('0000000003.spool');
    fs.truncateSync(file, fs.statSync(file).size - torn);
    const { io, synced } = syncedPaths();
    await world.open(io, 'disk');
    assert.ok(synced.has(file));
    assert.ok(!synced.has(world.file('0000000002.spool')), 'the next one tells that it was durable');
  }
});

test('a damaged file that was sent, but not put aside before a crash, is kept as well', async () => {
  using world = new SpoolWorld();
  await threeSegments(world);
  spoilEvent(world.file('0000000001.spool'), 3);
  world.place = { segment: 3, offset: 0 };
  await world.open();
  assert.deepEqual(world.files, ['0000000001.damaged', '0000000003.spool']);
  assert.match(world.told.join(), /^damaged 0000000001.spool: \d+ bytes of it hold no readable record$/);
});

test('a damaged header is told, and the records behind it are sent', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  change(world.file('0000000002.spool'), (bytes) => {
    bytes[9]! ^= 1;
    return bytes;
  });
  assert.deepEqual(await drain(await world.open()), range(0, 30));
  assert.deepEqual(world.told, ['damaged 0000000002.spool: its header is damaged']);
});

test('a missing file in the middle is told; one that was acknowledged, put aside or dropped is not', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  fs.renameSync(world.file('0000000002.spool'), world.file('elsewhere'));
  assert.deepEqual(await drain(await world.open()), [...range(0, 10), ...range(20, 30)]);
  assert.deepEqual(world.told, ['damaged 0000000002.spool: the file is gone']);
  world.told.length = 0;
  fs.renameSync(world.file('elsewhere'), world.file('0000000002.damaged'));
  await world.open();
  fs.rmSync(world.file('0000000001.spool'));
  fs.rmSync(world.file('0000000002.damaged'));
  world.place = { segment: 2, offset: 2 ** 30 };
  assert.deepEqual(await drain(await world.open()), range(20, 30));
  world.place = undefined;
  world.config = { ...world.config, overflow: 'drop_oldest' };
  assert.deepEqual(await drain(await world.open()), range(20, 30));
  assert.deepEqual(world.told, []);
});

test('an acknowledged place may lie anywhere', async () => {
  for (const [place, first] of [
    [{ segment: 1, offset: 0 }, 0],
    [{ segment: 1, offset: 2 ** 40 }, 10],
    [{ segment: 2, offset: 30 }, 11],
    [{ segment: 3, offset: 2 ** 31 }, 30],
    [{ segment: 9, offset: 0 }, 30],
  ] as const) {
    using world = new SpoolWorld();
    await threeSegments(world);
    world.place = place;
    const spool = await world.open();
    assert.equal(spool.events, 30 - first);
    assert.deepEqual(await drain(spool, true), range(first, 30), JSON.stringify(place));
    spool.append(events(30, 31));
    await spool.flush();
    await world.commit(spool);
    await spool.close();
    assert.deepEqual(await drain(await world.open()), [30], 'what is new is not taken for acknowledged');
    assert.deepEqual(world.told, []);
  }
});

test('files of others are left alone', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  const others = ['0000000004.spool.bak', 'notes.txt', '7.spool', '0000000000.spool', '9999999999.spool'];
  for (const name of others) fs.writeFileSync(world.file(name), 'mine');
  fs.mkdirSync(world.file('0000000005.spool'));
  fs.symlinkSync('/etc/hostname', world.file('0000000006.spool'));
  const spool = await world.open();
  spool.append(events(30, 31));
  await spool.flush();
  assert.deepEqual(await drain(spool, true), range(0, 31));
  await world.commit(spool);
  assert.deepEqual(world.files, [...others, '0000000005.spool', '0000000006.spool'].toSorted());
  for (const name of others) assert.equal(fs.readFileSync(world.file(name), 'utf8'), 'mine');
});

test('a file that cannot be read is put aside, and the others are sent', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  let opened = 0;
  const io = faultyIo((name) => {
    // The first open is the directory's, made durable; then each header, in the order of the files.
    if (name === 'open') opened += 1;
    if (name === 'read' && opened === 2) throw systemError('EIO');
  });
  assert.deepEqual(await drain(await world.open(io)), [...range(0, 10), ...range(20, 30)]);
  assert.deepEqual(world.told, ['damaged 0000000002.spool: EIO: injected']);
  assert.deepEqual(world.files, ['0000000001.spool', '0000000002.damaged', '0000000003.spool']);
});

test('what a lack of descriptors hides is not put aside: the start fails', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  const io = faultyIo((name, count) => {
    if (name === 'open' && count > 4) throw systemError('EMFILE');
  });
  await assert.rejects(world.open(io), (error) => error instanceof AuditailError && error.code === 'SPOOL_OPEN');
  assert.deepEqual(await drain(await world.open()), range(0, 30));
});

test('a bad sector costs what lies on it and behind it in that file', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  const io = {
    ...nodeFileIo,
    read: (fd: number, buffer: Buffer, position: number) => {
      if (position <= 700 && position + buffer.length > 700) throw systemError('EIO');
      return nodeFileIo.read(fd, buffer, position);
    },
  };
  const spool = await world.open(io);
  const sent = await drain(spool, true);
  assert.ok(sent.length >= 9 && sent.length < 20, `${sent}`);
  assert.ok(sent.includes(0) && sent.includes(10) && sent.includes(20));
  assert.ok(spool.isEmpty);
});

test('damage that comes while the spool is open is told once, and passed over', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  const spool = await world.open();
  spoilEvent(world.file('0000000002.spool'), 13);
  fs.rmSync(world.file('0000000003.spool'));
  assert.deepEqual(
    await drain(spool, true),
    range(0, 20).filter((n) => n !== 13),
  );
  assert.ok(spool.isEmpty);
  assert.equal(world.told.length, 2);
  assert.equal(world.told[1], 'damaged 0000000003.spool: the file is gone');
  await world.commit(spool);
  assert.deepEqual(world.files, ['0000000002.damaged']);
});

test('the file that is written to may be deleted by somebody: what comes next is safe again', async (t) => {
  const world = new SpoolWorld(t);
  const spool = await world.open();
  spool.append(events(0, 2));
  await spool.flush();
  fs.rmSync(world.file('0000000001.spool'));
  assert.deepEqual(await drain(spool, true), []);
  assert.ok(spool.isEmpty);
  spool.append(events(2, 4));
  await spool.flush();
  assert.deepEqual(world.files, ['0000000002.spool']);
  assert.deepEqual(await drain(spool), [2, 3]);
});

test('the spool of a newer program is refused and not changed', async (t) => {
  const world = new SpoolWorld(t);
  await threeSegments(world);
  const { crc32 } = await import('node:zlib');
  change(world.file('0000000002.spool'), (bytes) => {
    bytes[7] = 2;
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
    return bytes;
  });
  await assert.rejects(world.open(), (error) => error instanceof AuditailError && error.code === 'SPOOL_VERSION');
  assert.equal(world.files.length, 3);
});

test('a file in the place of the directory is a clear error', async (t) => {
  const world = new SpoolWorld(t);
  fs.writeFileSync(`${world.stateDir}/spool`, '');
  await assert.rejects(world.open(), (error) => error instanceof AuditailError && error.code === 'SPOOL_OPEN');
});
