/**
 * What users of other agents met: abandoned, repeated and torn lines. The numbers are those of the table in
 * docs/guarantees.md; rows without a test here have theirs elsewhere, and the table says where.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { archiveFiles } from '../helpers/archive-reader.ts';
import { hashLine } from '../helpers/line-multiset.ts';
import { BackupGzip } from '../helpers/lumberjack.ts';
import { RotatingWriter } from '../helpers/rotating-writer.ts';
import { PartLines } from './part-lines.ts';
import { killed, Scene, type SceneOptions, stopped } from './rotation-scene.ts';

interface Place {
  readonly scene: Scene;
  readonly writer: RotatingWriter;
  readonly lines: PartLines;
  /** Everything that was written is archived once, and no gap was told. */
  readonly assertAll: () => Promise<void>;
  /** The same, when the agent has read all, was stopped, and was started once more. */
  readonly finish: (agent: AgentProcess) => Promise<void>;
}

async function withScene(options: SceneOptions, run: (place: Place) => Promise<void>): Promise<void> {
  using scene = new Scene(options);
  const writer = new RotatingWriter(scene.log);
  const assertAll = async (): Promise<void> => {
    await scene.assertArchive(writer.expected, (hash) => writer.describe(hash));
    assert.deepEqual(scene.gaps(), []);
  };
  const finish = async (agent: AgentProcess): Promise<void> => {
    await scene.committed(agent, writer.expected.total);
    await stopped(agent);
    await scene.drain();
    await assertAll();
  };
  try {
    await run({ scene, writer, lines: new PartLines('few', 1), assertAll, finish });
  } finally {
    writer.close();
  }
}

/** Every rotation, one after the other, before the eyes of a running agent. */
async function readThroughRotations(agent: AgentProcess, { scene, writer, lines, finish }: Place): Promise<void> {
  writer.writeLines(lines.part());
  for (const style of ['rename', 'rename-gzip', 'copytruncate', 'rename-late'] as const) {
    await scene.committed(agent, writer.expected.total);
    writer.writeLines(lines.part());
    writer.rotate(style);
    writer.reopen();
    writer.writeLines(lines.part());
  }
  await finish(agent);
}

/** A command that runs another where the kernel has none of these to give; undefined where no such place can be made. */
function without(limit: string): string[] | undefined {
  const inside = [
    'unshare',
    '--user',
    '--map-root-user',
    'sh',
    '-c',
    `echo 0 > /proc/sys/user/${limit}; exec "$@"`,
    'sh',
  ];
  return spawnSync(inside[0]!, [...inside.slice(1), 'true']).status === 0 ? inside : undefined;
}

describe('failures of other agents', { concurrency: 2 }, () => {
  for (const [kind, of] of [
    ['a directory', (log: string) => dirname(log)],
    ['a glob that the rotated names match too', (log: string) => join(dirname(log), '*')],
  ] as const) {
    test(`4: ${kind} holds the rotated parts too, and nothing is read twice`, () =>
      withScene({}, async (place) => {
        const { scene } = place;
        (scene.config.sources as Record<string, unknown>[])[0]!.path = of(scene.log);
        const agent = await scene.startReading();
        await readThroughRotations(agent, place);
      }));
  }

  test('6: logs that begin alike, and logs that are shorter than what identity looks at', () =>
    withScene({}, async ({ scene, writer, assertAll }) => {
      (scene.config.sources as Record<string, unknown>[])[0]!.path = dirname(scene.log);
      const first = '{"kind":"Event","auditID":"1"}';
      const second = '{"kind":"Event","auditID":"2"}';
      writer.writeLines([first]);
      writeFileSync(join(dirname(scene.log), 'other.log'), `${first}\n${second}\n`);
      for (const line of [first, second]) writer.expected.expect(hashLine(line));
      await scene.drain();
      await assertAll();
      writer.writeLines(['{"kind":"Event","auditID":"3"}']);
      await scene.drain();
      await assertAll();
    }));

  test('8: a part that was read is gzipped later, while the agent runs and while it is down', () =>
    withScene({}, async ({ scene, writer, lines, assertAll }) => {
      writer.writeLines(lines.part());
      const backups = [writer.rotate('rename')];
      writer.writeLines(lines.part());
      backups.push(writer.rotate('rename'));
      writer.writeLines(lines.part());
      const agent = await scene.startReading();
      await agent.waitFor('the end of the parts', () => scene.unfinished() === 1);
      new BackupGzip(backups[0]!).finish();
      const known = "SELECT 1 FROM segments WHERE path LIKE '%.log.gz'";
      await agent.waitFor('the gzip to be known', () => scene.look(known).length === 1);
      await stopped(agent);
      new BackupGzip(backups[1]!).finish();
      writer.writeLines(lines.part());
      await scene.drain();
      await assertAll();
    }));

  test('9: a gzip that grows beside its original, also over a restart, and one that is left alone half written', () =>
    withScene({}, async ({ scene, writer, finish }) => {
      const lines = new PartLines('large', 9);
      writer.writeLines(lines.part());
      const backup = writer.rotate('rename');
      writer.writeLines(lines.take(3));
      const gzip = new BackupGzip(backup);
      let agent = await scene.startReading();
      for (let step = 0; step < 4; step += 1) {
        gzip.step(Math.floor(gzip.left / 4));
        await scene.committed(agent, writer.expected.total);
        writer.writeLines(lines.take(3));
        if (step === 1) {
          await killed(agent);
          agent = await scene.startReading();
        }
      }
      gzip.finish();
      const second = writer.rotate('rename');
      const left = new BackupGzip(second);
      left.step(10);
      left.abandon();
      writer.writeLines(lines.take(3));
      await finish(agent);
    }));

  for (const how of ['stopped', 'killed'] as const) {
    test(`11: the agent is ${how} while the last line is half written`, () =>
      withScene({}, async ({ scene, writer, lines, assertAll }) => {
        writer.writeLines(lines.part());
        const [line] = lines.take(1);
        const agent = await scene.startReading();
        writer.writePart(line!.slice(0, 500));
        await scene.committed(agent, writer.expected.total);
        await (how === 'stopped' ? stopped : killed)(agent);
        await scene.drain();
        await assertAll();
        writer.writeLines([line!.slice(500)]);
        await scene.drain();
        await assertAll();
      }));
  }

  test('12: a line longer than max_line_bytes is archived whole, and reading goes on behind it', () =>
    withScene({ source: { max_line_bytes: '1MiB' } }, async ({ scene, writer, lines, finish }) => {
      const agent = await scene.startReading();
      for (const bytes of [1_100_000, 5_000_000, 20_000_000]) {
        writer.writeLines(lines.part());
        writer.writeLines([`{"kind":"Event","objectRef":{"namespace":"long"},"filler":"${'x'.repeat(bytes)}"}`]);
        writer.writeLines(['y'.repeat(bytes)]);
      }
      writer.writeLines(lines.part());
      await finish(agent);
      assert.ok((await archiveFiles(scene.archive)).some((file) => file.startsWith('audit-_oversize.')));
    }));

  test('13: the place in the log does not move while the archive cannot be written', () =>
    withScene({}, async ({ scene, writer, lines, assertAll }) => {
      writeFileSync(scene.archive, 'no directory');
      writer.writeLines(lines.part());
      const agent = await scene.startReading();
      await agent.waitFor('a failure', () => agent.findLog(/^writing failed: back to the last commit/) !== undefined);
      writer.rotate('rename');
      writer.writeLines(lines.part());
      assert.equal(scene.committedBytes(), 0);
      await killed(agent);
      const again = await scene.startReading();
      await again.waitFor('a failure', () => again.findLog(/^writing failed: back to the last commit/) !== undefined);
      rmSync(scene.archive);
      await scene.committed(again, writer.expected.total);
      await again.waitFor('an end of the alarm', () => again.findLog('writing works again') !== undefined);
      await stopped(again);
      await assertAll();
    }));

  for (const [zone, hours] of Object.entries({
    'Asia/Kolkata': { '2026-03-10T18:29:59.999999Z': '2026031023', '2026-03-10T18:30:00.000000Z': '2026031100' },
    'America/New_York': { '2026-03-08T06:59:59.999999Z': '2026030801', '2026-03-08T07:00:00.000000Z': '2026030803' },
    UTC: { '2026-03-10T23:59:59.999999Z': '2026031023', '2026-03-11T00:00:00.000000Z': '2026031100' },
  })) {
    test(`20: hours are cut in the sink's own zone, ${zone}, whatever that of the process is`, () =>
      withScene({ sink: { timezone: zone }, env: { TZ: 'Pacific/Auckland' } }, async ({ scene, writer, assertAll }) => {
        for (const time of Object.keys(hours))
          writer.writeLines([`{"kind":"Event","objectRef":{"namespace":"a"},"stageTimestamp":"${time}"}`]);
        await scene.drain();
        await assertAll();
        const files = Object.values(hours).map((hour) => `audit-a.${hour}.log.gz`);
        assert.deepEqual(await archiveFiles(scene.archive), files);
      }));
  }

  for (const limit of ['max_inotify_watches', 'max_inotify_instances']) {
    test(`3 and 22: no ${limit.replace('max_', '').replace('_', ' ')} are left: told, and the sweep finds everything`, (t) =>
      withScene({}, async (place) => {
        const through = without(limit);
        if (through === undefined) {
          t.skip('no user namespace with limits of its own can be made here');
          return;
        }
        const agent = await place.scene.startReading({ through });
        await agent.waitFor('the warning', () => agent.findLog(/^cannot watch for changes/) !== undefined);
        await readThroughRotations(agent, place);
      }));
  }

  test('24: somebody deletes the live file, and its writer writes on', () =>
    withScene({}, async ({ scene, writer, lines, assertAll }) => {
      writer.writeLines(lines.part());
      const agent = await scene.startReading();
      await scene.committed(agent, writer.expected.total);
      rmSync(scene.log);
      for (let round = 0; round < 3; round += 1) {
        writer.writeLines(lines.part());
        await scene.committed(agent, writer.expected.total);
      }
      await agent.waitFor('the alarm', () => agent.findLog(/^the live log file was deleted/) !== undefined);
      writer.writeLines(lines.part());
      writer.reopen();
      writer.writeLines(lines.part());
      await scene.committed(agent, writer.expected.total);
      await agent.waitFor('the end of the deleted one', () => scene.unfinished() === 1);
      await stopped(agent);
      await scene.drain();
      await assertAll();
    }));

  test('25: logrotate rotates what the apiserver has rotated', () =>
    withScene({}, async ({ scene, writer, lines, assertAll }) => {
      writer.writeLines(lines.part());
      const agent = await scene.startReading();
      for (let round = 0; round < 3; round += 1) {
        await scene.committed(agent, writer.expected.total);
        const backup = writer.rotate('rename');
        writer.writeLines(lines.part());
        // As with `*.log` in logrotate's configuration: each backup is rotated once more, the live file too.
        renameSync(backup, `${backup}.1`);
        if (round === 1) new BackupGzip(`${backup}.1`).finish();
        writer.rotate('copytruncate');
        writer.writeLines(lines.part());
      }
      await scene.committed(agent, writer.expected.total);
      await stopped(agent);
      const backup = writer.rotate('rename');
      renameSync(backup, `${backup}.1`);
      writer.writeLines(lines.part());
      await scene.drain();
      await assertAll();
    }));

  test('7: a copy that grows while it is made, and a copy that nobody truncates for', () =>
    withScene({}, async ({ scene, writer, finish }) => {
      const lines = new PartLines('large', 7);
      writer.writeLines(lines.part());
      const agent = await scene.startReading();
      await scene.committed(agent, writer.expected.total);
      // By hand, for example.
      copyFileSync(scene.log, `${scene.log}.1`);
      writer.writeLines(lines.take(3));
      await finish(agent);
      const again = await scene.startReading();
      const content = readFileSync(scene.log);
      const half = Math.floor(content.length / 2);
      rmSync(`${scene.log}.1`);
      appendFileSync(`${scene.log}.1`, content.subarray(0, half), { mode: 0o600 });
      await again.waitFor('a sweep', sweeps(2));
      appendFileSync(`${scene.log}.1`, content.subarray(half));
      await again.waitFor('a sweep', sweeps(2));
      writer.truncate();
      writer.writeLines(lines.take(3));
      await finish(again);
    }));
});

/** Holds when that many refresh intervals of a scene are over. */
function sweeps(count: number): () => boolean {
  const end = performance.now() + count * 100;
  return () => performance.now() >= end;
}
