import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { Agent } from '../../src/agent/agent.ts';
import type { AgentParts } from '../../src/agent/agent-parts.ts';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import { Wake } from '../../src/agent/wake.ts';
import { StateLock } from '../../src/checkpoint/lock.ts';
import { errorCode } from '../../src/errors.ts';
import { AgentOccurrences } from '../../src/telemetry/agent-occurrences.ts';
import { SourceOccurrences } from '../../src/telemetry/source-occurrences.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { LogWorld } from './log-world.ts';

const MINUTE_MS = 60_000;

function telemetry(): Telemetry {
  return new Telemetry(pino({ level: 'silent' }));
}

/** An agent whose source, archive and committer do what the test says, and note what is asked of them. */
function fakeAgent(options: {
  sweep?: (nth: number) => Promise<void>;
  poll?: (nth: number) => Promise<boolean>;
  rewind?: (nth: number) => Promise<void>;
  start?: () => Promise<void>;
  directories?: string[];
  unreadable?: string[];
}) {
  const told: string[] = [];
  const counts = { sweep: 0, poll: 0, rewind: 0 };
  const source = {
    config: { refreshIntervalMs: MINUTE_MS },
    directories: options.directories ?? [],
    troubles: { unreadable: new Set(options.unreadable) },
    wantsSweep: false,
    isDrained: true,
    isUndecided: false,
    isBehind: false,
    gapsTold: 0,
    segments: () => [],
    hint: () => undefined,
    sweep: () => options.sweep?.(++counts.sweep) ?? Promise.resolve(),
    poll: () => options.poll?.(++counts.poll) ?? Promise.resolve(false),
    rewind: () => told.push('source rewound'),
    close: async () => void told.push('source closed'),
  };
  const archive = {
    start: options.start ?? (() => Promise.resolve()),
    rewind: async () => {
      told.push('archive rewound');
      await options.rewind?.(++counts.rewind);
    },
    maintain: () => Promise.resolve(),
    dropCutTails: () => Promise.resolve(),
    retainCutTails: () => Promise.resolve(),
    close: async () => void told.push('archive closed'),
  };
  const committer = {
    failure: undefined as unknown,
    failed: new Promise<void>(() => undefined),
    completed: 0,
    isRunning: false,
    isBehind: false,
    dueIn: undefined,
    noteTakings: () => undefined,
    startIfDue: () => undefined,
    settle: () => Promise.resolve(),
    commit: async () => void told.push('committed'),
    request: () => told.push('commit requested'),
    reset: () => {
      told.push('committer reset');
      committer.failure = undefined;
    },
  };
  const pipeline = { bytesTaken: 0, flushCounts: () => undefined };
  const parts = {
    config: { shutdownTimeoutMs: 1000 },
    inputs: [{ source, pipeline, occurrences: new SourceOccurrences(telemetry(), 'fake') }],
    fileSinks: [{ index: 0, config: {}, target: archive }],
    httpSinks: [],
    committer,
    room: () => Promise.resolve(),
    occurrences: new AgentOccurrences(telemetry()),
    wake: new Wake(),
    cutDir: '/nowhere',
    now: Date.now,
    elapsed: () => performance.now(),
    state: {
      commits: 0,
      started: async () => undefined,
      logs: { hold: () => told.push('logs handed on') },
      httpSinks: { drain: async () => void told.push('sinks drained') },
    },
  };
  return { agent: new Agent(parts as unknown as AgentParts), told, counts, committer };
}

function tempDir(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-agent-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  return dir;
}

test('stopping commits, drains the sinks, and closes everything in its order', async () => {
  const { agent, told } = fakeAgent({
    poll: async () => {
      agent.stop();
      return false;
    },
  });
  await agent.run({ exitAtEof: false });
  assert.deepEqual(told, ['committed', 'sinks drained', 'source closed', 'logs handed on', 'archive closed']);
});

test('an agent that another follows leaves the sinks as they are, unless it is stopped for good after all', async () => {
  for (const isStopped of [false, true]) {
    const { agent, told } = fakeAgent({
      poll: async () => {
        agent.stop({ forReload: true });
        if (isStopped) agent.stop();
        return false;
      },
    });
    await agent.run({ exitAtEof: false });
    assert.equal(told.includes('sinks drained'), isStopped);
    assert.deepEqual(told.slice(-3), ['source closed', 'logs handed on', 'archive closed']);
  }
});

test('a stop before the run ends it at once', async () => {
  const { agent, told, counts } = fakeAgent({});
  agent.stop();
  await agent.run({ exitAtEof: false });
  assert.equal(counts.sweep, 0);
  assert.equal(told[0], 'committed');
});

test('an archive that refuses to start: nothing is committed, and everything closed', async () => {
  const { agent, told } = fakeAgent({ start: () => Promise.reject(new Error('STATE_FOREIGN')) });
  await assert.rejects(agent.run({ exitAtEof: false }), /STATE_FOREIGN/);
  // What the agent before had handed on is still there for the one that comes instead.
  assert.deepEqual(told, ['source closed', 'archive closed']);
});

test('the same with the real one', async () => {
  using world = new LogWorld({ append: true });
  fs.mkdirSync(path.join(world.root, 'all'), { recursive: true });
  fs.writeFileSync(path.join(world.root, 'all', 'audit.alpha.2026011509.log.gz'), 'of another state');
  {
    await using state = AgentState.open(world.config, telemetry());
    await assert.rejects(buildAgent(world.config, state).run({ exitAtEof: true }), { code: 'STATE_EMPTY' });
    assert.throws(() => StateLock.acquire(world.config.stateDir), { code: 'STATE_LOCKED' });
  }
  StateLock.acquire(world.config.stateDir).release();
});

test('an error of any step goes back to the last commit, and the next step is a sweep', async () => {
  const { agent, told, counts } = fakeAgent({
    sweep: async (nth) => {
      if (nth === 2) agent.stop();
    },
    poll: async (nth) => {
      if (nth === 1) throw new Error('a failed read of the state');
      return false;
    },
  });
  await agent.run({ exitAtEof: false });
  assert.deepEqual(told.slice(0, 3), ['archive rewound', 'source rewound', 'committer reset']);
  assert.equal(counts.sweep, 2);
});

test('a rewind that fails is tried again, and the sources go back only with the archive', async () => {
  const { agent, told } = fakeAgent({
    poll: async (nth) => {
      if (nth === 1) throw new Error('no space');
      agent.stop();
      return false;
    },
    rewind: async (nth) => {
      if (nth === 1) throw new Error('still no space');
    },
  });
  await agent.run({ exitAtEof: false });
  assert.deepEqual(told.slice(0, 4), ['archive rewound', 'archive rewound', 'source rewound', 'committer reset']);
});

test('a stop while nothing can be written ends with the reason and without a commit', async () => {
  const { agent, told } = fakeAgent({
    poll: async () => {
      setTimeout(() => agent.stop(), 10);
      throw new Error('no space');
    },
  });
  await assert.rejects(agent.run({ exitAtEof: false }), /no space/);
  assert.ok(!told.includes('committed'));
  assert.equal(told.at(-1), 'archive closed');
});

test('at the end of file, what could not be read is an error, after all else was committed', async () => {
  const { agent, told } = fakeAgent({ unreadable: ['/log/secret.log'] });
  let code: string | undefined;
  try {
    await agent.run({ exitAtEof: true });
  } catch (error) {
    code = errorCode(error);
  }
  assert.equal(code, 'UNREADABLE');
  assert.ok(told.includes('committed'));
});

test('a file that appears in the middle of a sweep makes another one at once', async (t) => {
  const dir = tempDir(t);
  const { promise: again, resolve } = Promise.withResolvers<void>();
  const { agent } = fakeAgent({
    directories: [dir],
    sweep: async (nth) => {
      if (nth === 1) setTimeout(() => fs.writeFileSync(path.join(dir, 'first.log'), ''), 300);
      if (nth === 2) {
        // This sweep has listed the directory already; the hint comes while it goes on.
        fs.writeFileSync(path.join(dir, 'second.log'), '');
        await delay(1_000);
      }
      if (nth === 3) resolve();
    },
  });
  const run = agent.run({ exitAtEof: false });
  // Without the hint of the second file the third sweep would come a minute later.
  await Promise.race([again, delay(30_000, undefined, { ref: false }).then(() => assert.fail('the hint was lost'))]);
  agent.stop();
  await run;
});

test('a turn of the loop: a loop that sleeps is woken, one that waits for the disk turns, a stuck one does not', async () => {
  const { promise: stuck, resolve: free } = Promise.withResolvers<boolean>();
  const { agent, counts } = fakeAgent({
    poll: async (nth) => {
      if (nth === 1) throw new Error('a failed read of the state');
      return nth === 3 ? stuck : false;
    },
    rewind: async (nth) => {
      if (nth < 3) throw new Error('still');
    },
  });
  const told: number[] = [];
  const run = agent.run({ exitAtEof: false, onReading: () => told.push(counts.poll) });
  await agent.turn();
  while (counts.rewind < 2) await agent.turn();
  assert.deepEqual(told, [], 'it does not read as long as it fails');
  while (told.length === 0) await agent.turn();
  let turned = false;
  void agent.turn();
  while (counts.poll < 3) await delay(1);
  void agent.turn().then(() => {
    turned = true;
  });
  await delay(50);
  assert.equal(turned, false);
  free(false);
  while (!turned) await delay(1);
  agent.stop();
  await run;
  assert.deepEqual(told, [2]);
});
