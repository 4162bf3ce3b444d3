/** The checker of the torture: what the real agent made is right; whatever is changed of it is found. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Tally } from '../../demo/receivers/tally.ts';
import type { AgentStatus } from '../../src/admin/agent-status.ts';
import { check, type Evidence } from '../../torture/check/check.ts';
import type { ToldGap } from '../../torture/check/gaps.ts';
import { Violations } from '../../torture/check/violation.ts';
import { LineMaker } from '../../torture/line-maker.ts';
import { LogModel, type NewLine, type Part } from '../../torture/log-model.ts';
import { noteSeen } from '../../torture/probe.ts';
import { Timeline } from '../../torture/timeline.ts';
import { TorturedLog } from '../../torture/tortured-log.ts';
import { AgentProcess, archiveConfig } from '../helpers/agent-process.ts';
import { archiveFiles } from '../helpers/archive-reader.ts';
import { removeNow, removeWithParent } from '../helpers/children.ts';

const SECRET = 'secret-of-the-test';

/** A log with everything in it that a line can be, archived by the real agent. */
class Scene implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'auditail-check-'));
  readonly model = new LogModel(Date.now);
  readonly log: TorturedLog;
  readonly lines = new LineMaker(1);
  readonly stored = new Tally();
  readonly archive = join(this.root, 'archive');

  constructor() {
    removeWithParent(this.root);
    this.log = new TorturedLog(this.root, this.model);
  }

  write(count: number, make: () => NewLine = () => this.lines.event()): void {
    const lines = Array.from({ length: count }, make);
    this.log.write(lines);
    for (const { bytes } of lines) this.stored.add(bytes);
  }

  async run(): Promise<void> {
    const config = archiveConfig({ state: join(this.root, 'state'), log: this.log.path, archive: this.archive });
    const sources = [{ ...(config.sources as object[])[0], max_line_bytes: '64KiB', rotate_wait: '50ms' }];
    const { code, log } = await AgentProcess.runToEnd({ config: { ...config, sources } });
    assert.equal(code, 0, JSON.stringify(log.at(-1)));
  }

  async violations(changes: Partial<Evidence> = {}): Promise<[string, number][]> {
    const violations = new Violations();
    const evidence: Evidence = {
      ...{ model: this.model, archive: this.archive, thefts: [], foreign: new Map(), gaps: [] },
      timeline: new Timeline(),
      sinks: [{ name: 'es', stored: this.stored, letters: new Set(), isExactlyOnce: true }],
      outputs: new Map(),
      secret: SECRET,
    };
    await check({ ...evidence, ...changes }, violations);
    return [...violations.counts];
  }

  /** An archive file with the most content, as it is changed. */
  async rewrite(change: (lines: string[]) => string[]): Promise<void> {
    const files = (await archiveFiles(this.archive)).filter((name) => !name.includes('-_'));
    const [file] = files.map((name) => join(this.archive, name)).sort((a, b) => statSync(b).size - statSync(a).size);
    const lines = gunzipSync(readFileSync(file!)).toString('latin1').split('\n');
    writeFileSync(file!, gzipSync(Buffer.from(change(lines).join('\n'), 'latin1')));
  }

  [Symbol.dispose](): void {
    this.log.close();
    removeNow(this.root);
  }
}

async function archived(): Promise<Scene> {
  const scene = new Scene();
  scene.write(200);
  scene.write(3, () => scene.lines.garbage());
  scene.write(2, () => scene.lines.event(100_000));
  scene.log.rotate('rename');
  scene.write(100);
  scene.log.dieWithin(scene.lines.event(), 0.5);
  scene.write(50);
  scene.log.rotate('copytruncate');
  scene.write(20);
  assert.ok(scene.log.cutBack(5, 0.5));
  scene.write(30);
  await scene.run();
  return scene;
}

describe('an archive in which nothing is wrong', () => {
  test('whatever the lines are, and however they were written', async () => {
    using scene = await archived();
    assert.deepEqual(await scene.violations(), []);
    assert.ok(scene.model.lines.length > 400);
  });

  test('lines that were gone before the agent was there', async () => {
    using scene = new Scene();
    scene.write(50);
    scene.log.truncate();
    scene.write(50);
    await scene.run();
    assert.deepEqual(await scene.violations(), []);
  });
});

test('what is written behind a fragment belongs to it, also where the file was renamed under its writer', async () => {
  using scene = new Scene();
  scene.write(20);
  scene.log.dieWithin(scene.lines.event(), 0.5);
  scene.log.rotate('rename-late');
  assert.equal(scene.log.hasFragment, true);
  // What the torture does before anything else: what becomes of an event behind a fragment is known.
  scene.write(1);
  scene.write(1, () => scene.lines.event(100_000));
  scene.log.reopen();
  scene.write(20);
  await scene.run();
  assert.deepEqual(await scene.violations(), []);
});

test('of a file and its copy, which begin alike, both were seen, and the one is held open that is named', () => {
  using scene = new Scene();
  scene.write(20);
  scene.log.rotate('copytruncate');
  const [original, copy] = scene.model.parts.filter(({ places }) => places.length > 0);
  assert.equal(original!.firstTime, copy!.firstTime);
  const first_event = new Date(original!.firstTime!).toISOString();
  const segment = { path: scene.log.path, first_event, read: 1, size: 700 };
  noteSeen(scene.model, { sources: [{ streams: [{ segments: [segment] }] }] } as unknown as AgentStatus, 3);
  const noted = ({ seenSize, seenInLife, heldInLife }: Part) => ({ seenSize, seenInLife, heldInLife });
  assert.deepEqual(noted(original!), { seenSize: 700, seenInLife: 3, heldInLife: 3 });
  assert.deepEqual(noted(copy!), { seenSize: 700, seenInLife: 3, heldInLife: undefined });
});

test('a gap of what a file lost when it was emptied names it as it is called by then, by an event that it had before', async () => {
  using scene = new Scene();
  scene.write(20);
  const [lost] = scene.model.parts;
  lost!.seenInLife = 1;
  lost!.seenSize = lost!.size;
  scene.log.truncate();
  scene.write(20);
  scene.log.rotate('rename');
  scene.write(20);
  await scene.run();
  const next = scene.model.parts[1];
  assert.deepEqual(await scene.violations(), [['nothing lost', 20]]);
  const gapOf = (named: Part, timed: Part): Evidence['gaps'] => {
    const after_event = new Date(timed.firstTime!).toISOString();
    return [
      { path: [...named.paths].at(-1)!, from_offset: 0, to_offset: lost!.size, after_event, reason: 'truncated' },
    ];
  };
  assert.deepEqual(await scene.violations({ gaps: gapOf(next!, lost!) }), []);
  // What stands there now is not gone.
  assert.deepEqual(await scene.violations({ gaps: gapOf(next!, next!) }), [
    ['nothing lost', 20],
    ['gaps', 1],
  ]);
});

test('a gap of a file that begins with no event may have the time of the change that was the last when it was first seen', async () => {
  using scene = new Scene();
  scene.write(1, () => scene.lines.garbage());
  scene.write(19);
  const [lost] = scene.model.parts;
  scene.log.rotate('rename');
  scene.write(20);
  lost!.seenInLife = 1;
  lost!.seenSize = lost!.size;
  scene.log.deleteOldest(0);
  await scene.run();
  const gapAt = (afterMs: number): Evidence['gaps'] => {
    const after_event = new Date(afterMs).toISOString();
    return [{ path: [...lost!.paths].at(-1)!, from_offset: 0, to_offset: lost!.size, after_event, reason: 'deleted' }];
  };
  assert.deepEqual(await scene.violations({ gaps: gapAt(0) }), []);
  // That of an event of another file says that it is of that one.
  const other = scene.model.parts.find(({ loss }) => loss === undefined)!;
  assert.deepEqual(await scene.violations({ gaps: gapAt(other.firstTime!) }), [
    ['nothing lost', 20],
    ['gaps', 1],
  ]);
});

describe('what is found', () => {
  /** The number of the doctored file's lines, the last one of which is empty. */
  const changes: Record<string, [(lines: string[]) => string[], [string, number][]]> = {
    'a line that is missing': [(lines) => lines.toSpliced(3, 1), [['nothing lost', 1]]],
    'a line that is there twice': [(lines) => lines.toSpliced(3, 0, lines[2]!), [['exactly once', 1]]],
    'two lines in the wrong order': [(lines) => lines.with(2, lines[3]!).with(3, lines[2]!), [['order', 1]]],
    'a torn line': [
      (lines) => lines.with(2, lines[2]!.slice(0, 50)),
      [
        ['foreign lines', 1],
        ['nothing lost', 1],
      ],
    ],
    'a changed line': [
      (lines) => lines.with(2, lines[2]!.replace('Request', 'request')),
      [
        ['foreign lines', 1],
        ['nothing lost', 1],
      ],
    ],
    'a last line without newline': [(lines) => lines.slice(0, -1), [['whole lines', 1]]],
  };
  for (const [what, [change, expected]] of Object.entries(changes)) {
    test(what, async () => {
      using scene = await archived();
      await scene.rewrite(change);
      assert.deepEqual((await scene.violations()).sort(), expected);
    });
  }

  test('a file that is torn', async () => {
    using scene = await archived();
    const [file] = await archiveFiles(scene.archive);
    const path = join(scene.archive, file!);
    writeFileSync(path, readFileSync(path).subarray(0, -5));
    assert.ok((await scene.violations()).some(([rule]) => rule === 'whole files'));
  });

  test('a line in the file of another tag', async () => {
    using scene = await archived();
    const event = scene.model.lines.find(({ tag }) => tag === 'team-a')!;
    const changed = { ...event, tag: 'team-b' };
    scene.model.byHash.set(event.hash, changed);
    scene.model.lines[event.id] = changed;
    assert.deepEqual(await scene.violations(), [['wrong file', 1]]);
  });

  test('lines that are lost though the agent had seen them, and excused by no other gap than their own', async () => {
    using scene = new Scene();
    scene.write(20);
    scene.log.rotate('rename');
    scene.write(20);
    const [lost] = scene.model.parts;
    lost!.seenInLife = 1;
    lost!.seenSize = lost!.size;
    scene.log.deleteOldest(0);
    await scene.run();
    assert.deepEqual(await scene.violations(), [['nothing lost', 20]]);
    const path = [...lost!.paths].at(-1)!;
    const told = (changed: Partial<ToldGap>): Evidence['gaps'] => [
      { path, from_offset: 0, to_offset: lost!.size, after_event: null, reason: 'deleted', ...changed },
    ];
    assert.deepEqual(await scene.violations({ gaps: told({}) }), []);
    assert.deepEqual(await scene.violations({ gaps: told({ to_offset: null }) }), []);
    assert.deepEqual(await scene.violations({ gaps: told({ to_offset: lost!.size - 1 }) }), [['nothing lost', 1]]);
    assert.deepEqual(await scene.violations({ gaps: told({ from_offset: 1 }) }), [['nothing lost', 1]]);
    const ofSink = told({ reason: 'the file was deleted before the sink es had got it' });
    assert.deepEqual(await scene.violations({ gaps: ofSink }), [['nothing lost', 20]]);
    // Of another file, and of a file of which nothing is gone.
    for (const changed of [{ path: `${path}.1` }, { after_event: new Date(0).toISOString() }]) {
      assert.deepEqual(await scene.violations({ gaps: told(changed) }), [
        ['nothing lost', 20],
        ['gaps', 1],
      ]);
    }
    const untrue = { path: scene.log.path, from_offset: 0, to_offset: 10_000, after_event: null, reason: 'deleted' };
    const there = scene.model.parts.find(({ loss }) => loss === undefined)!;
    const after = new Date(there.firstTime!).toISOString();
    assert.deepEqual(await scene.violations({ gaps: [...told({}), { ...untrue, after_event: after }] }), [['gaps', 1]]);
  });

  test('what a receiver lacks, or has twice', async () => {
    using scene = await archived();
    const letters = new Set<string>();
    const sink = { name: 'es', stored: new Tally(), letters, isExactlyOnce: true };
    // What was cut off before the agent was there is nowhere.
    const isThere = scene.model.lines.filter(({ places }) => places.some(({ loss }) => loss === undefined));
    const events = isThere.filter(({ kind }) => kind === 'event');
    assert.deepEqual(await scene.violations({ sinks: [sink] }), [['es: nothing lost', events.length]]);
    for (const { hash } of events) letters.add(hash);
    assert.deepEqual(await scene.violations({ sinks: [sink] }), []);
    const line = scene.lines.event();
    scene.write(1, () => line);
    scene.stored.add(line.bytes);
    assert.deepEqual(
      (await scene.violations()).filter(([rule]) => rule.startsWith('es')),
      [['es: exactly once', 1]],
    );
  });

  test('an archive file that was taken away, and archived once more', async () => {
    using scene = await archived();
    const [file] = (await archiveFiles(scene.archive)).filter((name) => name.includes('team-a'));
    const store = join(scene.root, 'taken');
    mkdirSync(store);
    const taken = join(store, 'taken.gz');
    writeFileSync(taken, readFileSync(join(scene.archive, file!)));
    const count = gunzipSync(readFileSync(taken)).toString('latin1').split('\n').length - 1;
    assert.deepEqual(await scene.violations({ thefts: [{ taken, committed: undefined }] }), []);
    assert.deepEqual(await scene.violations({ thefts: [{ taken, committed: taken }] }), [['exactly once', count]]);
    rmSync(join(scene.archive, file!));
    assert.deepEqual(await scene.violations({ thefts: [{ taken, committed: taken }] }), []);
    assert.deepEqual(await scene.violations(), [['nothing lost', count]]);
  });

  test('a file of somebody else that was changed', async () => {
    using scene = await archived();
    writeFileSync(join(scene.archive, 'strange'), 'mine');
    assert.deepEqual(await scene.violations({ foreign: new Map([['strange', Buffer.from('mine')]]) }), []);
    const foreign = new Map([['strange', Buffer.from('other')]]);
    assert.deepEqual(await scene.violations({ foreign }), [['files of others', 1]]);
  });

  test('a secret in what was printed', async () => {
    using scene = await archived();
    const outputs = new Map([['agent.log', `{"message":"token ${SECRET}"}`]]);
    assert.deepEqual(await scene.violations({ outputs }), [['no secret', 1]]);
  });
});
