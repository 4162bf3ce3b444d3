import assert from 'node:assert/strict';
import fs from 'node:fs';
import { type TestContext, test } from 'node:test';
import zlib from 'node:zlib';
import { COMPRESSIONS, type Compression } from '../../../src/config/types.ts';
import { Harness, HOUR, T0, tempDir } from './archive-harness.ts';

const READERS = {
  gzip: zlib.gunzipSync,
  zstd: zlib.zstdDecompressSync,
  none: (bytes: Buffer) => bytes,
} satisfies Record<Compression, (bytes: Buffer) => Buffer>;

function read(file: string, compress: Compression): string {
  return READERS[compress](fs.readFileSync(file)).toString();
}

/** The archive of one root under one configuration; all of them have one path, which says nothing of the compression. */
function configured(t: TestContext, root: string, compress: Compression): Harness {
  const h = new Harness(root, { config: { compress, path: `${root}/out/\${tag}.%H.log` } });
  t.after(async () => {
    await h.archive?.close();
    if (h.db?.open) h.db.close();
  });
  return h;
}

async function end(h: Harness): Promise<void> {
  await h.archive.close();
  h.db.close();
}

for (const first of COMPRESSIONS) {
  for (const second of COMPRESSIONS.filter((one) => one !== first)) {
    test(`a file that was begun with ${first} is not continued with ${second}`, async (t) => {
      const root = tempDir(t);
      const before = configured(t, root, first);
      await before.start();
      before.append('a', 'one');
      before.append('b', 'one', T0 + HOUR);
      await before.commit();
      const whole = fs.readFileSync(before.file('a'));
      await end(before);
      fs.appendFileSync(before.file('a'), 'what a crash left');

      const after = configured(t, root, second);
      await after.start();
      assert.deepEqual(fs.readFileSync(after.file('a')), whole, 'brought to its last commit');
      after.append('a', 'two');
      await after.commit();
      after.append('a', 'three');
      await after.commit();
      assert.deepEqual(fs.readFileSync(after.file('a')), whole);
      assert.equal(read(after.file('a', T0, 1), second), 'two\nthree\n');
      after.now = T0 + HOUR + after.config.graceMs;
      await after.archive.maintain();
      assert.deepEqual(
        after.logged(/file finished/).map(({ path, events }) => [path, events]),
        [
          [after.file('a'), 1],
          [after.file('a', T0, 1), 2],
        ],
      );
      await end(after);

      // Each is there to be continued by its own kind.
      const again = configured(t, root, first);
      await again.start();
      again.append('a', 'four');
      await again.commit();
      assert.equal(read(again.file('a'), first), 'one\nfour\n');
      assert.equal(read(again.file('a', T0, 1), second), 'two\nthree\n');
      assert.deepEqual(again.failures, []);
    });
  }
}
