/**
 * Every way of rotating × what the agent does meanwhile × what the parts hold: what was written is what is archived, line
 * for line, and no gap is told.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../bench/random.ts';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { findLogrotate } from '../helpers/logrotate.ts';
import { RotatingWriter, type RotatingWriterOptions, type RotationStyle } from '../helpers/rotating-writer.ts';
import { PartLines, SHAPES, type Shape } from './part-lines.ts';
import { killed, Scene, stopped } from './rotation-scene.ts';

interface Way {
  readonly name: string;
  readonly style: RotationStyle;
  readonly options?: RotatingWriterOptions;
}

const WAYS: readonly Way[] = [
  { name: 'rename', style: 'rename' },
  { name: 'rename and gzip', style: 'rename-gzip' },
  { name: 'rename, the writer stays for a moment', style: 'rename-late' },
  { name: 'copytruncate', style: 'copytruncate' },
  { name: 'copytruncate, a writer without O_APPEND', style: 'copytruncate', options: { append: false } },
  { name: 'logrotate create', style: 'logrotate' },
  { name: 'logrotate create compress', style: 'logrotate', options: { logrotate: ['compress'] } },
  { name: 'logrotate copytruncate', style: 'logrotate-copytruncate' },
  { name: 'logrotate copytruncate compress', style: 'logrotate-copytruncate', options: { logrotate: ['compress'] } },
];

/** One cell of the matrix. */
interface Cell {
  readonly scene: Scene;
  readonly writer: RotatingWriter;
  readonly lines: PartLines;
  readonly random: Random;
  /** Writes a part and rotates it away; a writer that stays goes on in it for some lines. */
  readonly turn: () => void;
}

/** What the agent does while the log is rotated. Each ends without an agent. */
const SITUATIONS: Readonly<Record<string, (cell: Cell) => Promise<void>>> = {
  'agent running': async ({ scene, writer, turn, lines }) => {
    writer.writeLines(lines.part());
    const agent = await scene.startReading();
    for (let round = 0; round < 3; round += 1) {
      await scene.committed(agent, writer.expected.total);
      turn();
      writer.writeLines(lines.part());
    }
    await scene.committed(agent, writer.expected.total);
    await stopped(agent);
  },
  'agent down over one rotation': (cell) => downOver(cell, 1),
  'agent down over five rotations': (cell) => downOver(cell, 5),
  'during catch-up': async ({ scene, writer, turn, lines, random }) => {
    for (let round = 0; round < 3; round += 1) turn();
    writer.writeLines(lines.part());
    const agent = await scene.startReading();
    // Wherever it is in the backlog: stopped in the middle, so that it sees the rotation as one step.
    if (random.chance(0.7)) await agent.waitFor('a first log', () => agent.findLog('reading a log file') !== undefined);
    agent.signal('SIGSTOP');
    turn();
    writer.writeLines(lines.part());
    agent.signal('SIGCONT');
    turn();
    writer.writeLines(lines.take(3));
    await scene.committed(agent, writer.expected.total);
    await stopped(agent);
  },
  'agent killed at that moment': async (cell) => {
    const { scene, writer, turn, lines, random } = cell;
    writer.writeLines(lines.part());
    let agent = await scene.startReading();
    await scene.committed(agent, writer.expected.total);
    for (let round = 0; round < 2; round += 1) {
      writer.writeLines(lines.part());
      await around(random, agent, turn);
      writer.writeLines(lines.part());
      agent = await scene.startReading();
    }
    turn();
    await killed(agent);
  },
};

async function downOver({ scene, writer, turn, lines }: Cell, rotations: number): Promise<void> {
  writer.writeLines(lines.part());
  const agent = await scene.startReading();
  await scene.committed(agent, writer.expected.total);
  await stopped(agent);
  for (let round = 0; round < rotations; round += 1) turn();
  writer.writeLines(lines.part());
}

/** Kills the agent just before, or at some moment after, the rotation. */
async function around(random: Random, agent: AgentProcess, turn: () => void): Promise<void> {
  if (random.chance(0.3)) agent.signal('SIGKILL');
  turn();
  const waitMs = random.below(120);
  const end = performance.now() + waitMs;
  await agent.waitFor('the moment', () => performance.now() >= end).catch(() => undefined);
  await killed(agent);
}

function turnOf(way: Way, writer: RotatingWriter, lines: PartLines): () => void {
  return () => {
    writer.writeLines(lines.part());
    writer.rotate(way.style);
    if (way.style !== 'rename-late') return;
    writer.writeLines(lines.take(3));
    writer.reopen();
  };
}

async function runCell(way: Way, shape: Shape, situation: (cell: Cell) => Promise<void>, seed: number): Promise<void> {
  using scene = new Scene();
  const writer = new RotatingWriter(scene.log, way.options);
  try {
    const lines = new PartLines(shape, seed);
    await situation({ scene, writer, lines, random: new Random(seed), turn: turnOf(way, writer, lines) });
    await scene.drain();
    await scene.assertArchive(writer.expected, (hash) => writer.describe(hash));
    assert.deepEqual(scene.gaps(), []);
  } finally {
    writer.close();
  }
}

let seed = 0;
for (const way of WAYS) {
  describe(way.name, { concurrency: 3 }, () => {
    const missing = way.style.startsWith('logrotate') && findLogrotate() === undefined;
    const skip = missing ? 'logrotate is not installed' : false;
    for (const [name, situation] of Object.entries(SITUATIONS)) {
      for (const shape of SHAPES) {
        seed += 1;
        const own = seed;
        test(`${name}, ${shape} (seed ${own})`, { skip }, () => runCell(way, shape, situation, own));
      }
    }
  });
}
