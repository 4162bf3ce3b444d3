/** SIGHUP: what the new configuration does not change goes on as if nothing had been. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../admin/ask.ts';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { compareArchive } from '../helpers/archive-reader.ts';
import { GatedReceiver } from './gated-receiver.ts';
import { assertReceivedOnce, ended, httpSink, received, told, withSinks } from './http-scene.ts';
import { HOUR_START, Scene } from './scene.ts';

type Keys = Readonly<Record<string, unknown>>;

const OK = { code: 0, signal: null };

const APPLIED = /^the (new|old) configuration applies/;

/** One request at a time, so that events arrive in the order in which they were sent. */
function sink(name: string, receiver: GatedReceiver, keys: Keys = {}): Keys {
  return httpSink(name, receiver.url, { concurrency: 1, compress: 'none', ...keys });
}

function countOf(agent: AgentProcess, message: RegExp): number {
  return agent.log.filter(({ message: text }) => message.test(String(text))).length;
}

/** Gives the agent a configuration and waits until one applies; gives the milliseconds that this took. */
async function reload(agent: AgentProcess, config: Keys): Promise<number> {
  const [before, runs] = [countOf(agent, APPLIED), countOf(agent, /^auditail runs$/)];
  agent.reconfigure(config);
  const begun = performance.now();
  agent.signal('SIGHUP');
  await agent.waitFor('the reload', () => countOf(agent, APPLIED) > before);
  await agent.waitFor('the next agent', () => countOf(agent, /^auditail runs$/) > runs);
  return performance.now() - begun;
}

async function addressOf(agent: AgentProcess): Promise<string> {
  const line = () => agent.findLog(/^answering \/metrics/);
  await agent.waitFor('the admin listener', () => line() !== undefined);
  return String(line()!.address);
}

/** The counters that /metrics answers with. */
async function countersOf(address: string): Promise<Map<string, number>> {
  const { status, body } = await ask(address, '/metrics');
  assert.equal(status, 200, body);
  const lines = body.split('\n').filter((line) => /_total(\{| )/.test(line) && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

async function queueBytes(address: string, name: string): Promise<number> {
  const { sinks } = JSON.parse((await ask(address, '/status')).body) as {
    sinks: { name: string; queue_bytes: number }[];
  };
  return sinks.find((one) => one.name === name)!.queue_bytes;
}

function ascending(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe('a sink that a reload does not change', () => {
  test('gets each event once, in order, on one connection, whatever changes around it under load', async () => {
    await using scene = new Scene();
    await using stays = await GatedReceiver.start();
    await using changes = await GatedReceiver.start();
    const extra = join(scene.root, 'extra');
    const config = (round: number) => {
      const archive = { name: 'extra', type: 'file', path: join(extra, '${tag[1..]}.%Y%m%d%H.log.gz') };
      const other = sink('changes', changes, { url: `${changes.url}?round=${round}` });
      const base = scene.config({ rewrite_missing: `\${tag}.none${round % 4}`, memory_limit: `${64 + round}MiB` });
      const sinks = round % 3 === 0 ? [other, sink('stays', stays)] : [sink('stays', stays), other];
      return withSinks(base, ...sinks, ...(round % 2 === 0 ? [archive] : []));
    };
    const agent = scene.start({ config: config(0) });
    await agent.waitFor('the agent to run', () => agent.findLog('auditail runs') !== undefined);
    let isWriting = true;
    const writing = (async () => {
      for (let n = 0; isWriting; n += 1) {
        scene.write(40);
        if (n % 60 === 59) scene.writer.rotate(n % 120 === 59 ? 'rename' : 'rename-gzip');
        await sleep(10);
      }
    })();
    try {
      for (let round = 1; round <= 12; round += 1) {
        await reload(agent, config(round));
        await sleep(150);
      }
    } finally {
      isWriting = false;
      await writing;
    }
    const { total } = scene.writer.expected;
    await received(agent, stays.stored, total);
    await received(agent, changes.stored, total);
    await scene.archived(agent);
    await ended(agent);
    assertReceivedOnce(scene.writer.expected, stays.stored);
    assert.deepEqual(stays.numbers(), ascending(total));
    assert.equal(stays.connections, 1);
    assert.ok(changes.connections >= 12, `${changes.connections} connections to the receiver whose URL changed`);
    assertReceivedOnce(scene.writer.expected, changes.stored);
    await scene.assertExact();
    const { lost, duplicated, foreign } = await compareArchive(extra, scene.writer.expected);
    assert.deepEqual({ lost, duplicated, foreign }, { lost: 0, duplicated: 0, foreign: 0 });
  });

  test('keeps its request in flight, and what waits in memory; a reload waits for no receiver', async () => {
    await using scene = new Scene();
    await using receiver = await GatedReceiver.start();
    receiver.become('hold');
    const keys = { timeout: '60s', spool: { after: '1h' }, batch: { age: '30ms', events: 20 } };
    const config = (extra: Keys) =>
      withSinks(
        scene.config({ shutdown_timeout: '60s', admin: { listen: '127.0.0.1:0' }, ...extra }),
        sink('hook', receiver, keys),
      );
    const agent = scene.start({ config: config({}) });
    const address = await addressOf(agent);
    scene.write(100);
    await agent.waitFor('a request', () => receiver.held === 1);
    await scene.archived(agent);
    await agent.waitFor('the queue', async () => (await queueBytes(address, 'hook')) > 0);
    const queue = await queueBytes(address, 'hook');
    const counters = await countersOf(address);
    for (let round = 0; round < 4; round += 1) {
      const ms = await reload(agent, config({ rewrite_missing: `\${tag}.none${round}` }));
      assert.ok(ms < 5_000, `the reload took ${ms} ms`);
      assert.equal(await queueBytes(address, 'hook'), queue);
      for (const [name, value] of await countersOf(address)) {
        const before = counters.get(name) ?? 0;
        assert.ok(value >= before, `${name}: ${before}, then ${value}`);
      }
    }
    assert.deepEqual([receiver.connections, receiver.ended, receiver.held], [1, 0, 1]);
    receiver.become('accept');
    await received(agent, receiver.stored, 100);
    await ended(agent);
    assert.deepEqual(receiver.numbers(), ascending(100));
    assert.equal(receiver.connections, 1);
    await scene.assertExact();
  });

  test('keeps its spool, while its receiver is away', async () => {
    await using scene = new Scene();
    await using receiver = await GatedReceiver.start();
    receiver.become('refuse');
    const config = (extra: Keys) =>
      withSinks(
        scene.config({ shutdown_timeout: '60s', ...extra }),
        sink('hook', receiver, { spool: { after: '100ms' } }),
      );
    const agent = scene.start({ config: config({}) });
    scene.write(300);
    await agent.waitFor('spooling', () => told(agent.log, 'spooling', 'hook').length > 0);
    for (let round = 0; round < 4; round += 1) {
      const ms = await reload(agent, config({ rewrite_missing: `\${tag}.none${round}` }));
      assert.ok(ms < 5_000, `the reload took ${ms} ms`);
      scene.write(50);
    }
    await scene.archived(agent);
    receiver.become('accept');
    await received(agent, receiver.stored, 500);
    await ended(agent);
    assertReceivedOnce(scene.writer.expected, receiver.stored);
    await scene.assertExact();
  });

  test('notices nothing of a configuration that is invalid, or cannot start', async () => {
    await using scene = new Scene();
    await using receiver = await GatedReceiver.start();
    const config = withSinks(scene.config(), sink('hook', receiver));
    const agent = scene.start({ config });
    scene.write(20);
    await received(agent, receiver.stored, 20);
    const refusals = () => countOf(agent, /^the new configuration (is refused|cannot start)/);
    for (const broken of [JSON.stringify({ ...config, mystery: true }), 'sources: [']) {
      const before = refusals();
      agent.reconfigure(broken);
      agent.signal('SIGHUP');
      await agent.waitFor('a refusal', () => refusals() > before);
    }
    const foreign = join(scene.root, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'team-z.2024050607.log.gz'), 'not empty');
    const archive = { name: 'other', type: 'file', path: join(foreign, '${tag[1..]}.%Y%m%d%H.log.gz') };
    await reload(agent, withSinks(config, archive));
    await agent.waitFor('the old one', () => agent.findLog('the old configuration applies again') !== undefined);
    scene.write(20);
    await received(agent, receiver.stored, 40);
    await scene.archived(agent);
    await ended(agent);
    assert.deepEqual([receiver.numbers(), receiver.connections], [ascending(40), 1]);
    await scene.assertExact();
  });

  test('has what it holds of a source that is taken away delivered, and nothing again when that is back', async () => {
    await using scene = new Scene();
    await using receiver = await GatedReceiver.start();
    const second = join(scene.root, 'second', 'audit.log');
    mkdirSync(join(scene.root, 'second'));
    writeFileSync(second, '');
    const base = withSinks(scene.config(), sink('hook', receiver, { spool: { after: '1h' } }));
    const [first] = base.sources as Keys[];
    const others = { ...base, sources: [{ ...first, name: 'second', path: second }] };
    const both = { ...base, sources: [first!, { ...first, name: 'second', path: second }] };
    receiver.become('refuse');
    const agent = scene.start({ config: both });
    scene.write(100);
    await scene.archived(agent);
    await agent.waitFor('a request', () => receiver.refused > 0);
    await reload(agent, others);
    receiver.become('accept');
    await received(agent, receiver.stored, 100);
    // Written, and rotated, while nobody looks at it.
    scene.write(50, { timeMs: HOUR_START + 1000 });
    scene.writer.rotate('rename-gzip');
    scene.write(50, { timeMs: HOUR_START + 2000 });
    await reload(agent, both);
    await received(agent, receiver.stored, 200);
    await scene.archived(agent);
    await ended(agent);
    assert.deepEqual(receiver.numbers(), ascending(200));
    assert.equal(receiver.connections, 1);
    await scene.assertExact();
  });
});

describe('SIGHUP and other signals', () => {
  test('twenty in a row are few reloads, and the last configuration applies', async () => {
    await using scene = new Scene();
    await using receiver = await GatedReceiver.start();
    const config = (round: number) =>
      withSinks(
        scene.config({ log: { level: round < 20 ? 'info' : 'debug' } }),
        sink('hook', receiver, { timeout: `${10 + round}s` }),
      );
    const agent = scene.start({ config: config(0) });
    scene.write(100);
    await received(agent, receiver.stored, 100);
    for (let round = 1; round <= 20; round += 1) {
      agent.reconfigure(config(round));
      agent.signal('SIGHUP');
    }
    await agent.waitFor('the reload', () => countOf(agent, APPLIED) > 0);
    await reload(agent, config(20));
    scene.write(100);
    await received(agent, receiver.stored, 200);
    await scene.archived(agent);
    assert.ok(countOf(agent, APPLIED) < 10, `${countOf(agent, APPLIED)} reloads`);
    await ended(agent);
    assertReceivedOnce(scene.writer.expected, receiver.stored);
    await scene.assertExact();
  });

  test('SIGTERM in the middle of a reload ends it in order, with nothing lost or repeated', async () => {
    await using scene = new Scene();
    await using receiver = await GatedReceiver.start();
    for (let round = 0; round < 6; round += 1) {
      const config = (url: string) =>
        withSinks(scene.config(), sink('hook', receiver), sink('other', receiver, { url, match: 'nothing' }));
      const agent = scene.start({ config: config(receiver.url) });
      scene.write(200);
      await agent.waitFor('the agent to run', () => agent.findLog('auditail runs') !== undefined);
      agent.reconfigure(config(`${receiver.url}?other`));
      agent.signal('SIGHUP');
      await sleep(round * 10);
      assert.deepEqual(await agent.stop(), OK);
      assert.ok(agent.findLog(/^auditail stopped/) !== undefined);
    }
    assert.equal((await scene.runToEnd({ config: withSinks(scene.config(), sink('hook', receiver)) })).code, 0);
    assertReceivedOnce(scene.writer.expected, receiver.stored);
    await scene.assertExact();
  });

  test('SIGKILL in the middle of reloads: the archive exactly once, the receiver at least once', async () => {
    await using scene = new Scene();
    await using receiver = await GatedReceiver.start();
    await using other = await GatedReceiver.start();
    const config = (round: number) =>
      withSinks(
        scene.config({ rewrite_missing: `\${tag}.none${round}` }),
        sink('hook', receiver, { spool: { after: '100ms' } }),
        sink('other', other, { url: `${other.url}?${round}`, spool: { after: '100ms' } }),
      );
    for (let round = 0; round < 12; round += 1) {
      for (const one of [receiver, other]) one.become(round % 3 === 1 ? 'refuse' : 'accept');
      const agent = scene.start({ config: config(0) });
      scene.write(300, { timeMs: HOUR_START + round * 1000 });
      if (round % 4 === 3) scene.writer.rotate('rename-gzip');
      await agent.waitFor('the agent to run', () => agent.findLog('auditail runs') !== undefined);
      await sleep((round % 4) * 40);
      agent.reconfigure(config(1 + (round % 2)));
      agent.signal('SIGHUP');
      await sleep((round * 7) % 40);
      await agent.kill();
    }
    for (const one of [receiver, other]) one.become('accept');
    assert.equal((await scene.runToEnd({ config: config(0) })).code, 0);
    for (const { stored } of [receiver, other]) {
      const { lost, foreign } = stored.compare(scene.writer.expected);
      assert.deepEqual({ lost, foreign }, { lost: 0, foreign: 0 });
    }
    await scene.assertExact();
  });
});
