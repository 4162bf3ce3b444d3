import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { Scene } from './scene.ts';

const OK = { code: 0, signal: null };

describe('nobody reads what the agent says', () => {
  for (const [what, redirect] of [
    ['stdout and stderr are closed', '>&- 2>&-'],
    ['stderr is full', '2>/dev/full'],
    ['stdout and stderr are full', '>/dev/full 2>/dev/full'],
    ['the reader of stderr is gone', '2> >(exit 0)'],
  ] as const) {
    for (const format of ['json', 'text']) {
      test(`${what}, log format ${format}`, async () => {
        await using scene = new Scene();
        const config = scene.config({ log: { level: 'debug', format } });
        const through = ['bash', '-c', `exec "$@" ${redirect}`, 'bash'];
        const agent = scene.start({ config, through });
        for (let round = 0; round < 3; round += 1) {
          scene.write(50);
          scene.writer.rotate('rename');
          await scene.archived(agent);
        }
        assert.deepEqual(await agent.stop(), OK);
        await scene.assertExact();
      });
    }
  }

  for (const [how, end] of [
    ['SIGTERM', (agent: AgentProcess) => agent.stop()],
    [
      'two signals',
      async (agent: AgentProcess) => {
        agent.signal('SIGTERM');
        agent.signal('SIGINT');
        return agent.exited;
      },
    ],
  ] as const) {
    test(`the reader of stderr is there and takes nothing, ended by ${how}`, async () => {
      await using scene = new Scene();
      const fifo = join(scene.root, 'fifo');
      execFileSync('mkfifo', [fifo]);
      fillUp(fifo);
      const config = scene.config({ log: { level: 'debug' }, shutdown_timeout: '3s' });
      const agent = scene.start({ config, through: ['bash', '-c', `exec "$@" 2<>"$0"`, fifo] });
      for (let round = 0; round < 3; round += 1) {
        scene.write(50);
        await scene.archived(agent);
      }
      const { code, signal } = await end(agent);
      assert.equal(signal, null);
      if (how === 'SIGTERM') assert.equal(code, 0);
      await scene.assertExact();
    });
  }
});

/** Leaves no room in a named pipe. It keeps what is in it only while somebody has it open: this process does. */
function fillUp(fifo: string): void {
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  for (let size = 65_536; size > 0; ) {
    try {
      writeSync(fd, Buffer.alloc(size, 120));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      size >>= 1;
    }
  }
  process.once('exit', () => closeSync(fd));
}
