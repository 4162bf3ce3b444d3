import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { endWithParent } from '../helpers/children.ts';
import { ServiceNotes } from '../helpers/service-notes.ts';
import { Scene } from './scene.ts';

const OK = { code: 0, signal: null };

test('a service is ready when it reads, reloads, stays ready with a refused configuration, and stops', async () => {
  using notes = new ServiceNotes();
  await using scene = new Scene();
  const agent = scene.start({ env: notes.env });
  const told = (count: number) => agent.waitFor(`message ${count}`, () => notes.told.length >= count);
  await told(1);
  assert.ok(agent.findLog('auditail runs') !== undefined, 'ready before it ran');
  agent.signal('SIGHUP');
  await told(3);
  agent.reconfigure('sorces: []');
  agent.signal('SIGHUP');
  await told(5);
  assert.deepEqual(await agent.stop(), OK);
  assert.deepEqual(notes.told, ['READY=1', 'RELOADING=1', 'READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1']);
});

test('a service that cannot start is never ready', async () => {
  using notes = new ServiceNotes();
  await using scene = new Scene({ state: '/dev/null/state' });
  const { code } = await scene.start({ env: notes.env }).exited;
  assert.equal(code, 1);
  assert.deepEqual(notes.told, []);
});

test('the watchdog is answered while there is nothing to read and no sweep is due', async () => {
  using notes = new ServiceNotes();
  await using scene = new Scene();
  const agent = scene.start({
    config: scene.config({ source: { refresh_interval: '1h' } }),
    env: { ...notes.env, WATCHDOG_USEC: '400000' },
  });
  await agent.waitFor('three answers', () => notes.told.filter((line) => line === 'WATCHDOG=1').length >= 3);
  assert.deepEqual(await agent.stop(), OK);
});

test('the same to a real socket, by the real systemd-notify', { skip: whyNoReceiver() }, async () => {
  await using scene = new Scene();
  const socket = join(scene.root, 'notify.socket');
  const received = join(scene.root, 'received');
  const cat = ['sh', '-c', `exec cat > '${received}'`];
  const receiver = spawn('systemd-socket-activate', ['--datagram', '--inetd', `--listen=${socket}`, ...cat], {
    stdio: 'ignore',
  });
  endWithParent(receiver);
  const agent = scene.start({ env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' } });
  const messages = () => (existsSync(received) ? readFileSync(received, 'utf8') : '');
  await agent.waitFor('READY=1', () => messages().includes('READY=1'));
  await agent.waitFor('an answer to the watchdog', () => messages().endsWith('WATCHDOG=1BARRIER=1'));
  agent.signal('SIGHUP');
  await agent.waitFor('the reload', () => /RELOADING=1.*READY=1/s.test(messages()));
  assert.deepEqual(await agent.stop(), OK);
  assert.match(messages(), /STOPPING=1/);
  assert.equal(agent.findLog('systemd could not be told'), undefined);
  receiver.kill('SIGKILL');
});

function whyNoReceiver(): string | false {
  for (const program of ['systemd-notify', 'systemd-socket-activate']) {
    if (spawnSync(program, ['--version']).status !== 0) return `${program} is not installed`;
  }
  return false;
}
