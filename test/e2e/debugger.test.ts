import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { Scene } from './scene.ts';

/** A port that nothing else has: the usual one may be taken by another process here. */
const ANY_PORT = { NODE_OPTIONS: '--inspect-port=0' };

const SIGUSR1_BIT = 1n << 9n;

describe('Node’s debugger', { skip: existsSync('/proc/self/status') ? false : 'there is no /proc' }, () => {
  test('SIGUSR1 in the first moments of a start opens none that stays', async () => {
    for (let round = 0; round < 3; round += 1) {
      await using scene = new Scene();
      scene.write(10);
      await using agent = scene.start({ env: ANY_PORT });
      while (!isNodesOwn(agent)) assert.ok(agent.running);
      agent.signal('SIGUSR1');
      await scene.archived(agent);
      for (const { text } of agent.log) {
        const port = /^Debugger listening on ws:.*:(\d+)\//.exec(String(text))?.[1];
        if (port !== undefined) assert.equal(await answers(Number(port)), false, String(text));
      }
      agent.signal('SIGUSR1');
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      await scene.assertExact();
    }
  });

  test('one that was asked for stays open', async () => {
    await using scene = new Scene();
    await using agent = scene.start({ env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
    const port = () =>
      agent.log.map(({ text }) => /^Debugger listening on ws:.*:(\d+)\//.exec(String(text))?.[1]).find(Boolean);
    await agent.waitFor('the agent to run', () => agent.findLog('auditail runs') !== undefined);
    assert.equal(await answers(Number(port())), true);
  });
});

/** Whether Node has taken the signal for itself, by blocking it or by catching it; before, it ends a process. */
function isNodesOwn({ pid }: AgentProcess): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return ['SigBlk', 'SigCgt'].some((mask) => {
    const bits = new RegExp(`^${mask}:\\s+([0-9a-f]+)$`, 'm').exec(status)![1];
    return (BigInt(`0x${bits}`) & SIGUSR1_BIT) !== 0n;
  });
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
