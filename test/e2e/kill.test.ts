/**
 * SIGKILL at random instants, while a writer writes, rotates, gzips and prunes all the time: after each kill every
 * archive file is whole up to its last commit, and in the end the archive holds what was written, line for line.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../bench/random.ts';
import { WriterProcess } from '../../demo/writer-process.ts';
import { memberTrailer } from '../../src/sink/file/gzip-format.ts';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { LineMultiset } from '../helpers/line-multiset.ts';
import { assertReadable, killed, Scene } from './rotation-scene.ts';

/** Rounds of each kind, in shares; those with zstd come on top. */
const ROUNDS = { running: 32, starting: 16, stopping: 12 } as const;
type Kind = keyof typeof ROUNDS;

/**
 * Five rotations a second, over both durabilities with gzip, each of which has its share of events and backups. A
 * backup is pruned 28 s after its rotation: far behind the agent, killed or not.
 */
const BYTES_PER_SECOND = 1_500_000;
const MAX_SIZE = 300_000;
const MAX_BACKUPS = 140;
const WRITE_SECONDS = 42;

/**
 * So often the agent is let catch up before it is killed. Otherwise it may stay behind for longer than backups are kept,
 * on a machine with other things to do: most of a short life is its start. With a load of 18 eight rounds took up to 78 s.
 */
const CATCH_UP_ROUNDS = 8;
/** A third of the time that a backup is kept. */
const CATCH_UP_MS = 9_000;

const MEAN_EVENT_BYTES = 1500;

interface ArchiveRow {
  readonly path: string;
  readonly committed_bytes: number;
  readonly crc32: number;
  readonly member_bytes: number;
}

/** Cuts each file of the database to its last commit, with the trailer that belongs there, and lets `gzip` or `zstd` judge. */
async function assertCommitsWhole(scene: Scene, round: string): Promise<number> {
  // Killed early, it left a database without its tables.
  if (scene.query("SELECT 1 FROM sqlite_master WHERE name = 'archives'").length === 0) return 0;
  const rows = scene.query<ArchiveRow>('SELECT path, committed_bytes, crc32, member_bytes FROM archives');
  const directory = join(scene.directory, 'committed');
  mkdirSync(directory, { recursive: true });
  const copies: string[] = [];
  for (const { path, committed_bytes: bytes, crc32, member_bytes: memberBytes } of rows) {
    if (bytes === 0) continue;
    assert.ok(existsSync(path), `${round}: ${path} has ${bytes} committed bytes and is gone`);
    assert.ok(statSync(path).size >= bytes, `${round}: ${path} is shorter than its ${bytes} committed bytes`);
    const copy = join(directory, basename(path));
    const trailer = path.endsWith('.zst') ? Buffer.alloc(0) : memberTrailer(crc32, memberBytes);
    writeFileSync(copy, Buffer.concat([readFileSync(path).subarray(0, bytes), trailer]));
    copies.push(copy);
  }
  await assertReadable(copies, round);
  return copies.length;
}

/** Runs one agent until it is killed, at a moment of the seed's choice. Gives how that was, for messages. */
async function runAndKill(scene: Scene, random: Random, kind: Kind, writer: WriterProcess): Promise<string> {
  const agent = scene.start();
  if (kind === 'starting') {
    // Node itself needs a part of it; the recovery of the archive and the first sweep come behind that.
    const ms = random.below(600);
    await sleep(ms);
    await killed(agent);
    return `killed ${ms} ms after its start`;
  }
  const commits = 1 + random.below(4);
  const written = () => agent.log.filter(({ message }) => message === 'archive written').length;
  // When nothing is written any more, there may be nothing to commit.
  await agent.waitFor(`${commits} commits`, () => written() >= commits || isOver(agent, writer));
  const ms = random.below(80);
  await sleep(ms);
  if (kind === 'running') {
    await killed(agent);
    return `killed ${ms} ms after commit ${commits}`;
  }
  agent.signal('SIGTERM');
  const later = random.below(120);
  await sleep(later);
  const { signal, code } = await agent.kill();
  assert.ok(signal === 'SIGKILL' || code === 0, `SIGTERM: ended with ${code ?? signal}`);
  return `${ms} ms after commit ${commits} SIGTERM, and SIGKILL ${later} ms later`;
}

async function catchUpAndKill(scene: Scene): Promise<void> {
  const agent = await scene.startReading();
  // The live file, and one that was rotated just now.
  await agent.waitFor('all but two parts to be finished', () => scene.unfinished() <= 2);
  await killed(agent);
}

function isOver(agent: AgentProcess, writer: WriterProcess): boolean {
  return writer.progress.done && agent.findLog('auditail runs') !== undefined;
}

/** The kinds of all rounds, shuffled. */
function plan(random: Random, share: number): Kind[] {
  const kinds = Object.entries(ROUNDS).flatMap(([kind, count]) => Array<Kind>(count * share).fill(kind as Kind));
  return kinds
    .map((kind) => ({ kind, at: random.float() }))
    .sort((a, b) => a.at - b.at)
    .map(({ kind }) => kind);
}

describe('killed again and again', { concurrency: 2 }, () => {
  for (const { durability, compress, seed, share } of [
    { durability: 'process', compress: 'gzip', seed: 20261, share: 0.75 },
    { durability: 'disk', compress: 'gzip', seed: 20262, share: 0.25 },
    { durability: 'disk', compress: 'zstd', seed: 20263, share: 0.25 },
  ] as const) {
    test(`durability ${durability}, ${compress} (seed ${seed})`, { timeout: 300_000 }, async (t) => {
      using scene = new Scene({
        compress,
        config: { commit: { interval: '40ms', durability }, log: { level: 'debug' } },
      });
      const random = new Random(seed);
      const ledger = join(scene.directory, 'ledger');
      const writer = new WriterProcess({
        path: scene.log,
        ledger,
        events: Math.ceil((WRITE_SECONDS * share * BYTES_PER_SECOND) / MEAN_EVENT_BYTES),
        seed,
        spanMs: 6 * 3_600_000,
        bytesPerSecond: BYTES_PER_SECOND * share,
        maxSize: MAX_SIZE,
        maxBackups: MAX_BACKUPS * share,
      });
      await writer.reached(100);

      let checked = 0;
      let round = 0;
      let caughtUpAt = performance.now();
      for (const kind of plan(random, share)) {
        round += 1;
        if (round % CATCH_UP_ROUNDS === 0 || performance.now() - caughtUpAt > CATCH_UP_MS) {
          await catchUpAndKill(scene);
          caughtUpAt = performance.now();
        }
        const how = await runAndKill(scene, random, kind, writer);
        checked += await assertCommitsWhole(scene, `round ${round}: ${how}`);
      }
      // With a share of the rounds the kills may be over before the writer is.
      const last = await scene.startReading();
      await writer.done;
      await killed(last);
      const { events, rotations, pruned } = writer.progress;
      t.diagnostic(
        `${round} kills; ${events} events, ${rotations} rotations, ${pruned} backups pruned; ${checked} files`,
      );
      assert.ok(checked > 0, 'no kill came after a commit');
      await scene.drain();
      await scene.assertArchive(LineMultiset.fromLedger(ledger));
      assert.deepEqual(scene.gaps(), []);
    });
  }
});
