/**
 * The recorder and the checks of the power loss, on short records of the real agent. What they are for is
 * `npm run torture:power-loss`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { expectationOf } from '../../torture/power-loss/expectation.ts';
import { Host } from '../../torture/power-loss/host.ts';
import type { LogLedger } from '../../torture/power-loss/log-ledger.ts';
import { ARCHIVE } from '../../torture/power-loss/scene.ts';
import { readTree, type Tree } from '../../torture/power-loss/tree.ts';
import { shimObstacle } from '../../torture/shim/obstacle.ts';
import { removeWithParent } from '../helpers/children.ts';
import { hashLine } from '../helpers/line-multiset.ts';

const SEED = 5;
const EVENTS = 150;

const obstacle = shimObstacle();

/** Content by path, without SQLite's shared memory, which is mapped. */
function contents({ files }: Tree): [string, string][] {
  return [...files]
    .filter(([path]) => !path.endsWith('-shm'))
    .map(([path, { inode, content }]): [string, string] => [path, `${inode} ${content.toString('latin1')}`])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'auditail-power-loss-'));
  removeWithParent(made);
  return made;
}

const keys = { durability: 'disk', compress: 'gzip' } as const;

const INDEPENDENT = { metadata: 'strict', survival: 'nothing', cutsLog: false, isTwice: false } as const;

/** At up to so many of the places where a sync of such a file ends, over the whole record. */
function atSyncs(host: Host, path: string, count: number): number[] {
  const names = new Map(host.operations.flatMap(({ inode, path: name }) => (name === '' ? [] : [[inode, name]])));
  const ends = host.operations.flatMap(({ kind, inode }, index) =>
    kind === 'sync-end' && names.get(inode)?.includes(path) ? [index] : [],
  );
  const step = Math.max(1, ends.length / count);
  return Array.from({ length: Math.min(count, ends.length) }, (_, n) => ends[Math.floor(n * step)]!);
}

describe('a power loss', { skip: obstacle === undefined ? false : `not recorded: ${obstacle}` }, () => {
  let host: Host;
  let real: Tree;
  const site = directory();
  before(async () => {
    host = await Host.start({ directory: site, keys });
    await host.record(SEED, EVENTS);
    real = readTree(host.site.root);
  });
  after(() => host.close());

  test('the record makes the very tree that the agent and the writer made', () => {
    const rebuilt = host.currentAt(host.operations.length);
    assert.deepEqual([...rebuilt.directories].sort(), [...real.directories].sort());
    const [one, other] = [contents(rebuilt), contents(real)];
    assert.deepEqual(
      one.map(([path]) => path),
      other.map(([path]) => path),
    );
    for (const [index, [path, content]] of one.entries()) assert.ok(content === other[index]![1], path);
    for (const kind of ['create', 'write', 'mkdir', 'unlink', 'sync-begin', 'sync-end', 'mark'] as const) {
      assert.ok(
        host.operations.some((operation) => operation.kind === kind),
        `nothing of the kind ${kind} was recorded`,
      );
    }
  });

  test('never leaves an archive without its state, whatever was synced', () => {
    const first = host.operations.findIndex(({ path }) => path.startsWith(`${host.scene.archive}/`));
    assert.ok(host.afterCrashAt(first, INDEPENDENT).files.has(join(host.scene.state, 'state.sqlite')));
  });

  test('before the end of a sync, or right behind it, loses nothing and repeats nothing', async () => {
    const places = [...atSyncs(host, '/archive/', 2), ...atSyncs(host, '/state.sqlite', 2)].sort((a, b) => a - b);
    for (const [n, place] of places.entries()) {
      const point = { ...INDEPENDENT, operations: place + (n % 2), isTwice: n === 1, seed: n };
      assert.deepEqual(await host.lose(point), [], JSON.stringify(point));
    }
    assert.ok(host.linesChecked > EVENTS);
  });

  for (const what of ['/archive/', '/state.sqlite', '/spool/']) {
    test(`is noticed where syncs of ${what} do nothing`, async () => {
      const ignoresSync = (path: string): boolean => path.includes(what);
      const careless = await Host.start({ directory: site, keys, ignoresSync });
      try {
        careless.load();
        const wrong: string[] = [];
        for (const place of atSyncs(careless, '/state.sqlite-wal', 12).slice(2)) {
          wrong.push(...(await careless.lose({ ...INDEPENDENT, operations: place + 1, seed: place })));
          if (wrong.length > 0) break;
        }
        assert.notDeepEqual(wrong, []);
      } finally {
        await careless.close();
      }
    });
  }
});

test('a line of which a cut took only the newline is expected once', () => {
  const hash = hashLine(Buffer.from('{"a":1}'));
  const ledger = { files: new Map([[5n, [{ hash, end: 8 }]]]) } as unknown as LogLedger;
  const left = { bytes: 0, fragment: Buffer.from('{"a":1}') };
  const cut = { inode: 5n, isLive: true, left, places: new Map(), seen: 0 };
  const { needed, possible } = expectationOf(ARCHIVE, { ledger, cut, added: [] });
  assert.deepEqual([...needed], [hash.toString('hex')]);
  assert.deepEqual([possible.find(hash), possible.find(hash)], ['expected', 'duplicate']);
});
