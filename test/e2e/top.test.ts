import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { agentCommand } from '../helpers/agent-process.ts';
import { noTmux, TmuxTerminal } from '../helpers/tmux-terminal.ts';
import { httpSink, withSinks } from './http-scene.ts';
import { Scene } from './scene.ts';

/** The agent is asked on a socket, which is the same after a restart. */
function socketOf(scene: Scene): string {
  return `unix:${path.join(scene.root, 'admin.sock')}`;
}

function start(screen: TmuxTerminal, scene: Scene): void {
  const words = [...agentCommand(), 'top', '--address', socketOf(scene), '--interval', '200ms'];
  screen.type(`clear; ${words.map((word) => `'${word}'`).join(' ')}; echo "ended with $?"`);
}

test('a receiver that goes away and comes back is seen on the screen, with what waits for it', {
  skip: noTmux,
}, async () => {
  await using scene = new Scene();
  await using receiver = await ChaosReceiver.start({ store: new WholeRequestStore(NDJSON) });
  const sink = httpSink('siem', receiver.url, { spool: { after: '100ms', max_bytes: '1MiB' } });
  scene.start({ config: withSinks(scene.config({ admin: { listen: socketOf(scene) } }), sink) });
  using screen = new TmuxTerminal({ columns: 100, rows: 30 });
  start(screen, scene);
  scene.write(50, { filler: 1000, timeMs: Date.now() });
  // One after the other: a screen may be half drawn when it is looked at.
  await screen.until(/^siem +direct .*\n/m);
  await screen.until(/^auditail \S+, pid \d+: running, ready +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/m);
  await screen.until(/^up \d+ s, memory \S+ MiB, \d+ commits?, /m);
  await screen.until(/^apiserver /m);
  await screen.until(/^archive +\d+ open /m);
  await screen.until(/^siem +direct +\S+ +(?:\S+ \S+ +)?0 B +0 s +/m);
  await receiver.down();
  scene.write(50, { filler: 1000, timeMs: Date.now() });
  await screen.until(/^siem +spooling, away /m);
  // 1 MiB is all that the spool takes; the rest waits in the log.
  for (let part = 0; part < 20; part += 1) {
    scene.write(100, { filler: 1000, timeMs: Date.now() });
    await sleep(20);
  }
  await screen.until(/^siem +behind, away .* \S+ [KM]iB +\d+ s .* \S+ MiB, \d+% +0$/m);
  await screen.until(/^ *\S+ \S+ +\d+ +warn siem: the receiver/m);
  // It needs somebody, and stands before the archive, which does not.
  await screen.until(/^siem .*\narchive /m);
  await screen.until(/^apiserver .* siem /m);
  await receiver.healthy();
  await screen.until(/^siem +direct .* 0 B +0 s .*0 B +0/m);
});

test('rates are those of what is written', { skip: noTmux }, async () => {
  await using scene = new Scene();
  scene.start({ config: scene.config({ admin: { listen: socketOf(scene) } }) });
  using screen = new TmuxTerminal({ columns: 100, rows: 30 });
  start(screen, scene);
  await screen.until(/^apiserver +0 +0 B /m);
  const until = performance.now() + 30_000;
  const seen = () => Number(/^apiserver +([0-9,.]+) /m.exec(screen.text())?.[1]?.replace(',', ''));
  // 10 lines each 20 ms are up to 500 a second: on a busy machine fewer, never more.
  while (seen() < 100 && performance.now() < until) {
    scene.write(10);
    await sleep(20);
  }
  assert.ok(seen() >= 100 && seen() <= 1000, `${seen()} a second`);
  await screen.until(/^apiserver +0 +0 B /m);
});

test('an agent that is killed is told, and one that starts again is shown', { skip: noTmux }, async () => {
  await using scene = new Scene();
  scene.write(10);
  const config = scene.config({ admin: { listen: socketOf(scene) } });
  using screen = new TmuxTerminal({ columns: 100, rows: 24 });
  start(screen, scene);
  await screen.until(/^no agent answers on unix:.*admin\.sock: .*\n.*trying again\nIs it running/m);
  const first = scene.start({ config });
  await screen.until(new RegExp(`pid ${first.pid}: running, ready`));
  await first.kill();
  const down = await screen.until(/^no agent answers on unix:.*\n.*trying again; what was known [1-9] s ago:$/m);
  assert.match(down, new RegExp(`pid ${first.pid}: running`));
  await screen.until(/^apiserver +- +- /m);
  const second = scene.start({ config });
  const up = await screen.until(new RegExp(`pid ${second.pid}: running, ready`));
  assert.doesNotMatch(up, /no agent answers/);
  screen.press('q');
  await screen.until(/^ended with 0$/m);
});
