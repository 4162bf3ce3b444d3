import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Committer, type CommitterDeps } from '../../src/agent/committer.ts';
import type { SegmentProgress } from '../../src/checkpoint/segment-records.ts';

const NEVER = new Promise<never>(() => {});

/** A committer with one source and two sinks that the test holds by the hand. */
class Scene {
  now = 0;
  /** What happened, in order. */
  readonly told: string[] = [];
  wakes = 0;
  /** The offset that the source stands at. */
  position = 0;
  /** The flushes that are waiting, by sink. */
  readonly flushes: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  transactionError: unknown;
  stored: number[] = [];
  readonly committer: Committer;

  constructor(config: { intervalMs?: number; bytes?: number } = {}) {
    const scene = this;
    const archive = (name: string) => ({
      cut() {
        scene.told.push(`cut ${name} at ${scene.position}`);
        return { at: scene.position };
      },
      flush() {
        const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
        scene.flushes.push({ resolve: () => resolve([name]), reject });
        return promise;
      },
      committed(cut: { at: number }) {
        scene.told.push(`committed ${name} at ${cut.at}`);
      },
    });
    const source = {
      progress: () => {
        scene.told.push(`progress at ${scene.position}`);
        const progress = { id: scene.position } as SegmentProgress;
        return [{ segment: {}, progress, position: scene.position }];
      },
      committed: (_segment: unknown, _progress: unknown, position: number) => {
        scene.told.push(`source committed at ${position}`);
      },
    };
    const deps = {
      db: {
        transaction: (run: () => void) => ({
          immediate: () => {
            if (scene.transactionError !== undefined) throw scene.transactionError;
            run();
          },
        }),
      },
      segments: { saveProgress: (progress: SegmentProgress[]) => scene.stored.push(...progress.map(({ id }) => id)) },
      spools: {},
      archives: { save: (rows: string[]) => scene.told.push(`saved ${rows.join(' and ')}`) },
      sources: [source],
      fileSinks: [{ target: archive('a') }, { target: archive('b') }],
      httpSinks: [],
      config: { intervalMs: 5000, bytes: 1000, durability: 'disk', ...config },
      occurrences: { commitDone: () => scene.told.push('done') },
      wake: () => {
        scene.wakes += 1;
      },
      now: () => scene.now,
      elapsed: () => scene.now,
    };
    this.committer = new Committer(deps as unknown as CommitterDeps);
  }

  /** Lets both flushes of the commit under way succeed. */
  async flushed(): Promise<void> {
    for (const { resolve } of this.flushes.splice(0)) resolve();
    await this.committer.settle();
  }
}

test('offsets and cuts are those of one instant, and are stored together after all is flushed', async () => {
  const scene = new Scene();
  scene.position = 7;
  const commit = scene.committer.commit();
  await turn();
  assert.deepEqual(scene.told, ['progress at 7', 'cut a at 7', 'cut b at 7']);
  scene.position = 9;
  scene.flushes[0]!.resolve();
  await turn();
  assert.equal(scene.told.length, 3, 'nothing is stored while one sink is still writing');
  scene.flushes[1]!.resolve();
  await commit;
  assert.deepEqual(scene.told.slice(3), [
    'saved a and b',
    'committed a at 7',
    'committed b at 7',
    'source committed at 7',
    'done',
  ]);
  assert.deepEqual(scene.stored, [7]);
  assert.equal(scene.committer.completed, 1);
});

test('at most one commit is under way, and what comes meanwhile is in the next', async () => {
  const scene = new Scene();
  const { committer } = scene;
  committer.request();
  committer.startIfDue();
  await turn();
  assert.equal(committer.isRunning, true);
  scene.position = 5;
  committer.request();
  committer.startIfDue();
  const second = committer.commit();
  await turn();
  assert.equal(scene.flushes.length, 2, 'two sinks of one commit');
  await scene.flushed();
  await turn();
  assert.equal(scene.flushes.length, 2);
  assert.deepEqual(scene.stored, [0]);
  await scene.flushed();
  await second;
  assert.deepEqual(scene.stored, [0, 5]);
  assert.equal(committer.isRunning, false);
});

test('a failed flush stores nothing, waits for the other sinks, and stays the failure until it is reset', async () => {
  const scene = new Scene();
  const { committer } = scene;
  const commit = assert.rejects(committer.commit(), /no space/);
  await turn();
  let failed = false;
  void committer.orFailure(NEVER).then(() => {
    failed = true;
  });
  scene.flushes[0]!.reject(new Error('no space'));
  await turn();
  assert.equal(committer.isRunning, true, 'the other sink is still writing');
  scene.flushes[1]!.resolve();
  await commit;
  await turn();
  assert.equal(failed, true);
  assert.deepEqual(scene.stored, []);
  assert.equal(committer.completed, 0);
  assert.ok(scene.wakes > 0);
  committer.request();
  committer.startIfDue();
  assert.equal(committer.isRunning, false, 'no commit before the rewind');
  await assert.rejects(committer.commit(), /no space/);
  committer.reset();
  scene.flushes.length = 0;
  const next = committer.commit();
  await turn();
  await scene.flushed();
  await next;
  assert.deepEqual(scene.stored, [0]);
});

test('an error of the transaction is a failed commit: nobody is told that it is durable', async () => {
  const scene = new Scene();
  scene.transactionError = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
  const commit = assert.rejects(scene.committer.commit(), /disk I/);
  await turn();
  await scene.flushed();
  await commit;
  assert.deepEqual(
    scene.told.filter((what) => /committed|done/.test(what)),
    [],
  );
});

test('the first failure is the one that is told, and ends waiting until a reset', async () => {
  const { committer } = new Scene();
  const waiting = committer.orFailure(NEVER);
  committer.fail(new Error('first'));
  await waiting;
  committer.fail(new Error('second'));
  assert.match(String(committer.failure), /first/);
  await committer.orFailure(NEVER);
  committer.reset();
  assert.equal(committer.failure, undefined);
  assert.equal(await Promise.race([committer.orFailure(NEVER).then(() => 'failed'), turn('pending')]), 'pending');
  await committer.orFailure(Promise.resolve());
  await assert.rejects(committer.orFailure(Promise.reject(new Error('of what is waited for'))), /waited for/);
});

test('a commit is due an interval after the first line, at once when asked for, and never without lines', () => {
  const scene = new Scene();
  const { committer } = scene;
  assert.equal(committer.dueIn, undefined);
  scene.now = 100;
  committer.taken(10);
  scene.now = 1100;
  committer.taken(10);
  assert.equal(committer.dueIn, 4000);
  committer.startIfDue();
  assert.equal(committer.isRunning, false);
  scene.now = 99_000;
  assert.equal(committer.dueIn, 0);
  committer.reset();
  assert.equal(committer.dueIn, undefined);
  committer.request();
  assert.equal(committer.dueIn, 0);
});

test('enough bytes make a commit due; as many again while it runs make reading wait', async () => {
  const scene = new Scene({ bytes: 100 });
  const { committer } = scene;
  committer.taken(99);
  assert.notEqual(committer.dueIn, 0);
  committer.taken(1);
  assert.equal(committer.dueIn, 0);
  assert.equal(committer.isBehind, false, 'nobody waits for a commit that has not begun');
  committer.startIfDue();
  assert.equal(committer.dueIn, undefined);
  committer.taken(99);
  assert.equal(committer.isBehind, false);
  committer.taken(1);
  assert.equal(committer.isBehind, true);
  await turn();
  await scene.flushed();
  assert.equal(committer.isBehind, false);
});
