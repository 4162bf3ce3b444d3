import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { ServiceManager } from '../../src/telemetry/service-manager.ts';
import { ServiceNotes } from '../helpers/service-notes.ts';

const WATCHDOG = { WATCHDOG_USEC: '60000000', WATCHDOG_PID: '77' };

function logTo(lines: string[]) {
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  return () => log;
}

function withPath(t: TestContext, value: string): void {
  const before = process.env.PATH;
  process.env.PATH = value;
  t.after(() => {
    process.env.PATH = before;
  });
}

/** A manager of the process 77 whose messages are noted. */
function managed(t: TestContext, env: Record<string, string> = {}, script = '') {
  const notes = new ServiceNotes(script);
  t.after(() => notes[Symbol.dispose]());
  withPath(t, notes.env.PATH);
  const lines: string[] = [];
  return { notes, lines, service: new ServiceManager({ ...notes.env, ...env }, 77, logTo(lines)) };
}

test('a service tells in order, also where the first message takes longer', async (t) => {
  const { notes, lines, service } = managed(t, {}, '[ "$1" = READY=1 ] && sleep 0.2; true');
  service.ready();
  service.reloading(1000);
  service.ready();
  service.stopping();
  await service.close();
  assert.deepEqual(notes.told, ['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1']);
  assert.deepEqual(lines, []);
});

test('without NOTIFY_SOCKET no program is started', async (t) => {
  const { notes, lines, service } = managed(t, { NOTIFY_SOCKET: '', ...WATCHDOG });
  t.mock.timers.enable({ apis: ['setInterval'] });
  service.watch(() => Promise.resolve());
  t.mock.timers.tick(60_000);
  service.ready();
  await service.close();
  assert.deepEqual([notes.told, lines], [[], []]);
});

test('the watchdog is answered twice in its time, and a reload gets the time of a drain', async (t) => {
  const { notes, service } = managed(t, WATCHDOG);
  t.mock.timers.enable({ apis: ['setInterval'] });
  service.watch(() => Promise.resolve());
  service.ready();
  for (let half = 0; half < 3; half += 1) {
    t.mock.timers.tick(30_000);
    await turn();
  }
  service.reloading(10_000);
  service.ready();
  await service.close();
  t.mock.timers.tick(120_000);
  await turn();
  await service.close();
  assert.deepEqual(notes.told, [
    'READY=1 WATCHDOG=1 WATCHDOG_USEC=60000000',
    'WATCHDOG=1',
    'WATCHDOG=1',
    'WATCHDOG=1',
    'RELOADING=1 WATCHDOG=1 WATCHDOG_USEC=70000000',
    'READY=1 WATCHDOG=1 WATCHDOG_USEC=60000000',
  ]);
});

test('no answer without a proof', async (t) => {
  const { notes, service } = managed(t, WATCHDOG);
  t.mock.timers.enable({ apis: ['setInterval'] });
  service.watch(() => new Promise(() => undefined));
  t.mock.timers.tick(300_000);
  await turn();
  await service.close();
  assert.deepEqual(notes.told, []);
});

for (const [what, env] of [
  ['of another process', { ...WATCHDOG, WATCHDOG_PID: '78' }],
  ['of 0', { WATCHDOG_USEC: '0' }],
  ['that is no number', { WATCHDOG_USEC: 'soon' }],
] as const) {
  test(`a watchdog ${what} is none`, async (t) => {
    const { notes, service } = managed(t, env);
    t.mock.timers.enable({ apis: ['setInterval'] });
    service.watch(() => Promise.resolve());
    t.mock.timers.tick(600_000);
    service.ready();
    await service.close();
    assert.deepEqual(notes.told, ['READY=1']);
  });
}

test('what could not be told is logged, and the next message is sent', async (t) => {
  const { notes, lines, service } = managed(t, {}, 'echo no such socket >&2; [ "$1" != READY=1 ]');
  service.ready();
  service.stopping();
  await service.close();
  assert.deepEqual(notes.told, ['READY=1', 'STOPPING=1']);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /READY=1.*no such socket.*systemd could not be told/);
});

test('a host without the program: a warning that names it', async (t) => {
  withPath(t, '/nowhere');
  const lines: string[] = [];
  const service = new ServiceManager({ NOTIFY_SOCKET: '/nowhere/socket' }, 77, logTo(lines));
  service.ready();
  await service.close();
  assert.match(lines.join(), /systemd-notify ENOENT/);
});
