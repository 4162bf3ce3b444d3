import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import type { AgentStatus, HttpSinkStatus } from '../../src/admin/agent-status.ts';
import { ask } from '../admin/ask.ts';
import { auditail } from '../cli/cli-process.ts';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { promtool } from '../helpers/promtool.ts';
import { eventLine, Scene } from './scene.ts';

const SECRET = 'hunter2-hunter2';

/** A scene with a file sink and a receiver whose URL, headers and credentials hold a secret. */
function withReceiver(scene: Scene, receiver: ChaosReceiver, sink: Record<string, unknown> = {}) {
  const config = scene.config();
  return {
    ...config,
    admin: { listen: '127.0.0.1:0' },
    sinks: [
      ...(config.sinks as unknown[]),
      {
        name: 'siem',
        type: 'http',
        format: 'ndjson',
        url: `${receiver.url}/in?token=${SECRET}`,
        headers: { 'x-key': SECRET },
        auth: { bearer: SECRET },
        batch: { age: '20ms' },
        spool: { after: '50ms' },
        retry: { min: '20ms', max: '50ms' },
        ...sink,
      },
    ],
  };
}

async function addressOf(agent: AgentProcess): Promise<string> {
  const line = () => agent.findLog(/^answering \/metrics/);
  await agent.waitFor('the admin listener', () => line() !== undefined);
  return String(line()!.address);
}

async function statusOf(address: string): Promise<AgentStatus> {
  return JSON.parse((await ask(address, '/status')).body) as AgentStatus;
}

/** Samples by name with labels, as the text format has them. */
async function metricsOf(address: string): Promise<Map<string, number>> {
  const { body } = await ask(address, '/metrics');
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

function siem({ sinks }: AgentStatus): HttpSinkStatus {
  const found = sinks.find(({ name }) => name === 'siem');
  assert.ok(found?.type === 'http');
  return found;
}

test('status, metrics and probes tell what a working agent does, and nothing secret', async () => {
  await using scene = new Scene();
  await using receiver = await ChaosReceiver.start({ store: new WholeRequestStore(NDJSON) });
  scene.write(100);
  const agent = scene.start({ config: withReceiver(scene, receiver) });
  const address = await addressOf(agent);
  await scene.committed(agent);
  scene.writer.rotate('rename');
  scene.write(50);
  await scene.committed(agent);
  await agent.waitFor('readiness', async () => (await ask(address, '/readyz')).status === 200);
  await agent.waitFor('no lag', async () => {
    const { sources } = await statusOf(address);
    return sources[0]!.lag.every(({ bytes }) => bytes === 0);
  });
  assert.equal((await ask(address, '/healthz')).status, 200);
  const status = await statusOf(address);
  assert.equal(status.pid, agent.pid);
  assert.equal(status.phase, 'running');
  assert.deepEqual(status.unready, []);
  const [source] = status.sources;
  assert.equal(source!.files, 2);
  assert.deepEqual(source!.lag, [
    { sink: 'archive', bytes: 0, seconds: 0 },
    { sink: 'siem', bytes: 0, seconds: 0 },
  ]);
  const live = source!.streams[0]!.segments.at(-1)!;
  assert.equal(live.path, scene.log);
  assert.equal(live.state, 'live');
  assert.equal(live.read, live.size);
  assert.deepEqual(
    live.sinks.map(({ offset }) => offset),
    [live.size, live.size],
  );
  assert.deepEqual([siem(status).state, siem(status).origin], ['direct', receiver.url]);
  const metrics = await metricsOf(address);
  const expected: Record<string, number> = {
    auditail_ready: 1,
    'auditail_received_events_total{source="apiserver"}': 150,
    'auditail_archive_events_total{sink="archive"}': 150,
    'auditail_http_delivered_events_total{sink="siem"}': 150,
    'auditail_lag_bytes{source="apiserver",sink="siem"}': 0,
    'auditail_files_rotated_total{source="apiserver"}': 1,
    'auditail_gaps_total{source="apiserver"}': 0,
    auditail_rewinds_total: 0,
    'auditail_http_sink_state{sink="siem",state="direct"}': 1,
    'auditail_http_sink_state{sink="siem",state="blocked"}': 0,
    'auditail_dead_letters{sink="siem"}': 0,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(metrics.get(name), value, name);
  for (const name of [
    'auditail_disk_free_bytes{use="state",sink=""}',
    'auditail_commit_seconds_sum',
    'auditail_http_request_seconds_count{sink="siem"}',
    'auditail_archive_open_files{sink="archive"}',
  ]) {
    assert.ok(metrics.get(name)! > 0, name);
  }
  for (const page of ['/status', '/metrics', '/readyz', '/healthz']) {
    assert.doesNotMatch((await ask(address, page)).body, new RegExp(SECRET), page);
  }
});

test('labels come from the configuration only, whatever namespaces the log holds', async () => {
  await using scene = new Scene();
  const agent = scene.start({ config: scene.config({ admin: { listen: '127.0.0.1:0' } }) });
  const address = await addressOf(agent);
  scene.write(1);
  await scene.committed(agent);
  const before = (await metricsOf(address)).size;
  for (let n = 0; n < 50; n += 1) scene.write(1, { namespace: `ns-${n}` });
  await scene.committed(agent);
  const metrics = await metricsOf(address);
  assert.equal(metrics.size, before);
  assert.doesNotMatch([...metrics.keys()].join('\n'), /ns-\d/);
});

test('a receiver that is away, and one that refuses, show in the state and do not make the agent unready', async () => {
  await using scene = new Scene();
  await using receiver = await ChaosReceiver.start({ store: new WholeRequestStore(NDJSON) });
  await receiver.down();
  const agent = scene.start({ config: withReceiver(scene, receiver) });
  const address = await addressOf(agent);
  scene.write(200);
  await agent.waitFor('spooling', async () => {
    const { state, spool, receiver: standing } = siem(await statusOf(address));
    return state === 'spooling' && spool.events > 0 && standing === 'away';
  });
  const away = siem(await statusOf(address));
  assert.ok(away.spool.bytes > 0);
  assert.equal(away.last_error?.sink, 'siem');
  assert.equal((await ask(address, '/readyz')).status, 200);
  assert.equal((await metricsOf(address)).get('auditail_http_receiver_away{sink="siem"}'), 1);
  await receiver.behave(() => 'status-401');
  await agent.waitFor('blocked', async () => siem(await statusOf(address)).state === 'blocked');
  assert.equal((await metricsOf(address)).get('auditail_http_receiver_blocked{sink="siem"}'), 1);
  assert.equal((await ask(address, '/readyz')).status, 200);
  const shown = await auditail(['status', '--address', address]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /siem +ndjson +blocked/);
  assert.match(shown.stdout, /the receiver refuses everything until this is mended/);
  assert.doesNotMatch(shown.stdout, new RegExp(SECRET));
  await receiver.healthy();
  await agent.waitFor('direct', async () => {
    const { state, spool, receiver: standing } = siem(await statusOf(address));
    return state === 'direct' && spool.events === 0 && standing === 'taking';
  });
});

test('a log that is not there, or cannot be read, makes the agent unready with the reason', async () => {
  await using scene = new Scene();
  rmSync(path.dirname(scene.log), { recursive: true });
  const agent = scene.start({ config: scene.config({ admin: { listen: '127.0.0.1:0' } }) });
  const address = await addressOf(agent);
  await agent.waitFor('a reason', async () => /no log found in/.test((await ask(address, '/readyz')).body));
  assert.equal((await ask(address, '/readyz')).status, 503);
  assert.equal((await ask(address, '/healthz')).status, 200);
  assert.equal((await metricsOf(address)).get('auditail_ready'), 0);
  const shown = await auditail(['status', '--address', address]);
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, /running, not ready\n {2}source apiserver: no log found in/);
});

test('writing that fails makes the agent unready until it works again', async () => {
  await using scene = new Scene();
  const sink = { path: path.join(scene.archive, '${tag[1..]}', 'audit.%Y%m%d%H.log.gz') };
  const agent = scene.start({ config: scene.config({ sink, admin: { listen: '127.0.0.1:0' } }) });
  const address = await addressOf(agent);
  scene.write(1);
  await scene.committed(agent);
  const obstacle = path.join(scene.archive, 'another');
  writeFileSync(obstacle, 'where a directory has to be made');
  scene.write(1, { namespace: 'another' });
  await agent.waitFor('a reason', async () => {
    const { status, body } = await ask(address, '/readyz');
    return status === 503 && /writing the archive or the state fails/.test(body);
  });
  assert.ok((await metricsOf(address)).get('auditail_rewinds_total')! > 0);
  assert.ok((await statusOf(address)).troubles.some(({ message }) => message.startsWith('writing failed')));
  rmSync(obstacle);
  await agent.waitFor('readiness', async () => (await ask(address, '/readyz')).status === 200);
});

test('status reads the address of a configuration, also of a unix socket, and prints the same facts as JSON', async () => {
  await using scene = new Scene();
  const socket = path.join(scene.root, 'admin.sock');
  scene.write(20);
  const agent = scene.start({ config: scene.config({ admin: { listen: `unix:${socket}` } }) });
  await addressOf(agent);
  await scene.committed(agent);
  const text = await auditail(['status', '--address', `unix:${socket}`]);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, new RegExp(`^auditail \\S+, pid ${agent.pid}: running, ready\n`));
  assert.match(text.stdout, /source apiserver: /);
  assert.match(text.stdout, /audit\.log +live/);
  assert.match(text.stdout, /archive +file +\d+ open/);
  const json = await auditail(['status', '--address', `unix:${socket}`, '--json']);
  assert.equal((JSON.parse(json.stdout) as AgentStatus).pid, agent.pid);
  await agent.stop();
  const gone = await auditail(['status', '--address', `unix:${socket}`]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /no agent answers on unix:.*--address/s);
});

test('the listener outlives a reload, and moves with its address', async () => {
  await using scene = new Scene();
  scene.write(1);
  const config = scene.config({ admin: { listen: '127.0.0.1:0' } });
  const agent = scene.start({ config });
  const address = await addressOf(agent);
  agent.reconfigure({ ...config, rewrite_missing: '${tag}.none' });
  agent.signal('SIGHUP');
  await agent.waitFor('the reload', () => agent.findLog('the new configuration applies') !== undefined);
  await agent.waitFor(
    'readiness on the same port',
    async () => (await ask(address, '/readyz')).status === 200 || scene.write(1) !== undefined,
  );
  const socket = path.join(scene.root, 'admin.sock');
  agent.reconfigure({ ...config, admin: { listen: `unix:${socket}` } });
  agent.signal('SIGHUP');
  await agent.waitFor('the new address', () => agent.log.some(({ address: at }) => at === `unix:${socket}`));
  assert.equal((await ask(`unix:${socket}`, '/healthz')).status, 200);
  await assert.rejects(ask(address, '/healthz'), { code: 'ECONNREFUSED' });
  assert.deepEqual(await agent.stop(), { code: 0, signal: null });
});

test('an agent whose port is taken archives all the same, and says so', async () => {
  await using scene = new Scene();
  await using other = new Scene();
  const first = scene.start({ config: scene.config({ admin: { listen: '127.0.0.1:0' } }) });
  const address = await addressOf(first);
  other.write(10);
  const second = other.start({ config: other.config({ admin: { listen: address } }) });
  await other.archived(second);
  const told = second.log.find(({ event }) => event === 'admin_listener_failed');
  assert.equal(told?.level, 'error');
  await second.stop();
  await other.assertExact();
});

test('a run that ends by itself leaves the address to the daemon', async () => {
  await using scene = new Scene();
  await using other = new Scene();
  const address = await addressOf(scene.start({ config: scene.config({ admin: { listen: '127.0.0.1:0' } }) }));
  other.write(1);
  const { code, log } = await other.runToEnd({ config: other.config({ admin: { listen: address } }) });
  assert.equal(code, 0);
  assert.deepEqual(
    log.filter(({ level }) => level !== 'info'),
    [],
  );
});

test('a deleted file that is held, and bytes that a sink lacks, are shown', async () => {
  await using scene = new Scene();
  await using receiver = await ChaosReceiver.start({ store: new WholeRequestStore(NDJSON) });
  await receiver.down();
  scene.write(2000, { filler: 1000 });
  // What is written once the spool is full is not handed to the sink: its log file is held for it.
  const config = withReceiver(scene, receiver, {
    spool: { after: '20ms', max_bytes: '1MiB' },
    batch: { age: '20ms', bytes: '64KiB' },
  });
  const agent = scene.start({ config: { ...config, memory_limit: '33MiB' } });
  const address = await addressOf(agent);
  await agent.waitFor('a full spool', () => agent.log.some(({ event }) => event === 'spool_full'));
  scene.write(1000, { filler: 1000 });
  await agent.waitFor('the sink to be behind', async () => siem(await statusOf(address)).state === 'behind');
  const rotated = scene.writer.rotate('rename');
  scene.write(1);
  await scene.committed(agent);
  rmSync(rotated);
  await agent.waitFor('held bytes', async () => (await statusOf(address)).sources[0]!.held_deleted_bytes > 0);
  const [source] = (await statusOf(address)).sources;
  assert.equal(source!.window_seconds, 0, 'they are lost when the agent ends');
  assert.equal(source!.streams[0]!.segments[0]!.state, 'deleted');
  const lag = source!.lag.find(({ sink }) => sink === 'siem')!;
  assert.ok(lag.bytes > 100_000, `${lag.bytes}`);
  assert.ok(lag.seconds > 1_000_000, 'these are events of 2024');
  assert.deepEqual(source!.lag[0], { sink: 'archive', bytes: 0, seconds: 0 });
  await receiver.healthy();
  await agent.waitFor('no lag', async () =>
    (await statusOf(address)).sources[0]!.lag.every(({ bytes }) => bytes === 0),
  );
});

test('metrics pass promtool, where it is installed', async (t) => {
  await using scene = new Scene();
  await using receiver = await ChaosReceiver.start({ store: new WholeRequestStore(NDJSON) });
  scene.writer.writeLines([eventLine({ id: 'a' }), 'no json', '']);
  const agent = scene.start({ config: withReceiver(scene, receiver) });
  const address = await addressOf(agent);
  await agent.waitFor('a commit', async () => ((await metricsOf(address)).get('auditail_commits_total') ?? 0) > 0);
  const { body } = await ask(address, '/metrics');
  const checked = promtool(t, ['check', 'metrics'], body);
  if (checked !== undefined) assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});
