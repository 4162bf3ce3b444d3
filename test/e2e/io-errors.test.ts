import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { Scene } from './scene.ts';

/** System calls of the archive and of SQLite, with the errors that a disk gives. `when` counts in each thread. */
const FAULTS = [
  'fdatasync:error=EIO:when=1',
  'fdatasync:error=EIO:when=2+5',
  'fsync:error=EIO:when=13+5',
  'pwrite64:error=EIO:when=10+17',
  'pwrite64:error=EIO:when=3',
  'pwrite64:error=ENOSPC:when=9+23',
  'pwrite64:error=EDQUOT:when=12+13',
  'ftruncate:error=EIO:when=1+2',
  'unlink:error=EIO:when=1+2',
];

const LIVES = 3;
const BATCHES = 4;
const PATIENCE_MS = 2000;

/** The agent is the traced program itself, so that signals reach it. */
function failing(fault: string, trace: string): string[] {
  const call = fault.split(':')[0]!;
  return ['strace', '-D', '-f', '--seccomp-bpf', '-A', '-o', trace, '-e', `trace=${call}`, '-e', `inject=${fault}`];
}

function whyNoStrace(): string | false {
  try {
    const [program, ...args] = failing('fdatasync:error=EIO:when=2', '/dev/null');
    execFileSync(program!, [...args, 'true'], { stdio: 'pipe' });
    return false;
  } catch (error) {
    return `strace cannot inject faults here: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}

describe('errors of system calls in the real agent', { skip: whyNoStrace(), concurrency: 2 }, () => {
  for (const fault of FAULTS) {
    test(`${fault}: nothing lost, nothing repeated`, async () => {
      await using scene = new Scene();
      const trace = join(scene.root, 'trace');
      for (let life = 0; life < LIVES; life += 1) {
        await using agent = scene.start({ through: failing(fault, trace), env: { UV_THREADPOOL_SIZE: '2' } });
        for (let batch = 0; batch < BATCHES && agent.running; batch += 1) {
          scene.write(20, { namespace: `team-${batch % 3}`, filler: 300 });
          await archivedOrEnded(agent, scene);
        }
        scene.writer.rotate(life % 2 === 0 ? 'rename' : 'rename-gzip');
        await agent.kill();
      }
      assert.match(readFileSync(trace, 'utf8'), /\(INJECTED\)/, 'no call failed');
      assert.equal((await scene.runToEnd()).code, 0);
      await scene.assertExact();
    });
  }
});

/**
 * An error at a start ends the agent with exit code 1 and one sentence: its supervisor starts it again. A disk that fails
 * for good is waited for until the test loses patience.
 */
async function archivedOrEnded(agent: AgentProcess, scene: Scene): Promise<void> {
  const ended = agent.exited.then(({ code }) => {
    assert.equal(code, 1);
    assert.match(String(agent.log.at(-1)?.text), /^auditail: /);
  });
  const done = scene.archived(agent, PATIENCE_MS).catch((error: unknown) => {
    if (!agent.running || /waited \d+ ms/.test(String(error))) return;
    throw error;
  });
  await Promise.race([ended, done]);
}
