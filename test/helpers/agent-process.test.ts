import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AgentProcess, archiveConfig } from './agent-process.ts';

/** A program with the outward behaviour of the agent, steered by its configuration. */
const STAND_IN = `
import { readFileSync } from 'node:fs';
const [command, , file, ...flags] = process.argv.slice(2);
const config = JSON.parse(readFileSync(file, 'utf8'));
const log = (message, more) => process.stderr.write(JSON.stringify({ level: 'info', message, ...more }) + '\\n');
log('started', { command, flags, name: config.name, config: file });
process.stderr.write('no JSON\\n');
if (flags.includes('--exit-at-eof') || config.exit !== undefined) process.exitCode = config.exit ?? 0;
else {
  setInterval(() => {}, 1000);
  process.on('SIGTERM', () => {
    if (config.stubborn) return log('refused');
    log('stopped');
    process.exit(0);
  });
  log('ready');
}
`;

/** A zombie that nobody has reaped yet is not alive. */
function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('AgentProcess', () => {
  const directory = mkdtempSync(join(tmpdir(), 'auditail-stand-in-'));
  const program = join(directory, 'stand-in.mjs');
  const usual = process.env.AUDITAIL_BIN;
  before(() => {
    writeFileSync(program, STAND_IN);
    process.env.AUDITAIL_BIN = program;
  });
  after(() => {
    if (usual === undefined) delete process.env.AUDITAIL_BIN;
    else process.env.AUDITAIL_BIN = usual;
    rmSync(directory, { recursive: true, force: true });
  });

  test('starts the program with its configuration, waits, and stops it', async () => {
    await using agent = AgentProcess.start({ config: { name: 'one' }, args: ['--verbose'] });
    await agent.waitFor('ready', () => agent.findLog('ready') !== undefined);
    const started = agent.findLog(/^start/)!;
    assert.deepEqual([started.command, started.flags, started.name], ['run', ['--verbose'], 'one']);
    assert.deepEqual(agent.log[1], { text: 'no JSON' });
    assert.ok(existsSync(String(started.config)));
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    assert.equal(agent.findLog('stopped')?.level, 'info');
    assert.equal(existsSync(String(started.config)), false);
  });

  test('kills, and says that it did', async () => {
    await using agent = AgentProcess.start({ config: {} });
    await agent.waitFor('ready', () => agent.findLog('ready') !== undefined);
    assert.equal(agent.running, true);
    assert.deepEqual(await agent.kill(), { code: null, signal: 'SIGKILL' });
    assert.equal(agent.running, false);
  });

  test('runs to the end of the input and gives the exit code', async () => {
    const { code, log } = await AgentProcess.runToEnd({ config: { exit: 1 } });
    assert.equal(code, 1);
    assert.deepEqual(log[0]!.flags, ['--exit-at-eof']);
  });

  test('explains an early end, a deadline, and a process that will not stop', async () => {
    const early = AgentProcess.start({ config: { exit: 7 } });
    await assert.rejects(
      early.waitFor('a miracle', () => false),
      /ended \(7\) while the test waited for a miracle[\s\S]*no JSON/,
    );
    await using stubborn = AgentProcess.start({ config: { stubborn: true } });
    await stubborn.waitFor('ready', () => stubborn.findLog('ready') !== undefined);
    await assert.rejects(
      stubborn.waitFor('a miracle', () => false, 50),
      /waited 50 ms for a miracle/,
    );
    await assert.rejects(stubborn.stop(50), /did not end after SIGTERM within 50 ms/);
    assert.equal(stubborn.running, false);
  });

  test('says what to do when the program was not built, or cannot be started', async () => {
    process.env.AUDITAIL_BIN = join(directory, 'missing.js');
    assert.throws(() => AgentProcess.start({ config: {} }), /missing\.js does not exist: run npm run build/);
    const broken = join(directory, 'broken');
    writeFileSync(broken, 'no program');
    chmodSync(broken, 0o600);
    process.env.AUDITAIL_BIN = broken;
    await assert.rejects(AgentProcess.start({ config: {} }).exited, /EACCES/);
    process.env.AUDITAIL_BIN = program;
  });

  test('ends its processes when the test ends in the middle', async () => {
    const script = join(directory, 'parent.ts');
    const pidFile = join(directory, 'pid');
    const helper = fileURLToPath(new URL('./agent-process.ts', import.meta.url));
    writeFileSync(
      script,
      `import { writeFileSync } from 'node:fs';
       import { AgentProcess } from ${JSON.stringify(helper)};
       const agent = AgentProcess.start({ config: {} });
       await agent.waitFor('ready', () => agent.findLog('ready') !== undefined);
       writeFileSync(${JSON.stringify(pidFile)}, agent.pid + ' ' + agent.findLog('started').config);
       if (process.argv[2] === 'throw') throw new Error('a failed test');
       process.kill(process.pid, process.argv[2]);
       setInterval(() => {}, 1000);`,
    );
    for (const how of ['throw', 'SIGTERM', 'SIGINT']) {
      const parent = spawn(process.execPath, [script, how], { stdio: 'ignore' });
      const [code, signal] = await once(parent, 'exit');
      assert.equal(signal ?? code, how === 'throw' ? 1 : how);
      const [pid = '', config = ''] = readFileSync(pidFile, 'utf8').split(' ');
      // The kill is certain, its completion a moment later.
      const end = performance.now() + 5000;
      while (isAlive(pid) && performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(isAlive(pid), false, `the agent outlived a parent that ended by ${how}`);
      assert.equal(existsSync(config), false, `the configuration outlived a parent that ended by ${how}`);
    }
  });

  test('archiveConfig names the files by namespace and hour', () => {
    const config = archiveConfig({ state: '/s', log: '/l/audit.log', archive: '/a' });
    assert.deepEqual(config.sinks, [
      { name: 'archive', type: 'file', path: `/a/audit-${'$'}{tag[1..]}.%Y%m%d%H.log.gz` },
    ]);
  });
});
