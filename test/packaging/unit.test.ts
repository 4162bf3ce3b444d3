import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { CHECKOUT } from './packages.ts';

const UNIT = path.join(CHECKOUT, 'systemd/auditail.service');

/** What the issue of the unit asks for; of 10, lower is better. */
const MAX_EXPOSURE = 2.0;

const text = fs.readFileSync(UNIT, 'utf8');

function whyNot(program: string): string | false {
  return spawnSync(program, ['--version']).status === 0 ? false : `${program} is not installed`;
}

/** The system calls of a set (`@privileged`) and of the sets in it. */
function callsOf(set: string): string[] {
  const { stdout } = spawnSync('systemd-analyze', ['syscall-filter', set], { encoding: 'utf8' });
  const names = stdout
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
  return names.flatMap((name) => (name.startsWith('@') ? callsOf(name) : /^\w+$/.test(name) ? [name] : []));
}

/** The system calls that the unit's filter refuses. */
function refusedCalls(): string[] {
  const lines = [...text.matchAll(/^SystemCallFilter=(~?)(.+)$/gm)];
  const sets = (tilde: string) => lines.filter((line) => line[1] === tilde).flatMap((line) => line[2]!.split(' '));
  const allowed = new Set(['@default', ...sets('')].flatMap(callsOf));
  for (const call of sets('~').flatMap(callsOf)) allowed.delete(call);
  return callsOf('@known').filter((call) => !allowed.has(call));
}

test('systemd finds nothing wrong with the unit', { skip: whyNot('systemd-analyze') }, (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-unit-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  // The program is not installed where this is tested, and that is the one thing to be wrong.
  const file = path.join(dir, 'auditail.service');
  fs.writeFileSync(file, text.replaceAll('/usr/bin/auditail', process.execPath));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  assert.deepEqual({ status, told: stdout + stderr }, { status: 0, told: '' });
});

test(`systemd rates its exposure ${MAX_EXPOSURE} or lower`, { skip: whyNot('systemd-analyze') }, () => {
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT], {
    encoding: 'utf8',
  });
  const exposure = /Overall exposure level for auditail.service: ([\d.]+)/.exec(stdout);
  assert.ok(exposure !== null && Number(exposure[1]) <= MAX_EXPOSURE, exposure?.[0] ?? stdout);
});

const noTools = whyNot('systemd-analyze') || whyNot('strace');

test('the agent works where every system call fails that the unit refuses', { skip: noTools }, (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-unit-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  // SQLite gives its files to the owner of the database when it runs as root, which the service does not.
  const isRoot = process.getuid?.() === 0;
  const refused = refusedCalls().filter((call) => !(isRoot && call === 'fchown'));
  for (const known of ['setuid', 'mount', 'ptrace', 'setpriority']) assert.ok(refused.includes(known), known);
  fs.mkdirSync(path.join(dir, 'log'));
  fs.writeFileSync(path.join(dir, 'log/audit.log'), '{"stageTimestamp":"2024-05-06T07:00:00Z"}\n');
  const config = path.join(dir, 'auditail.yaml');
  const sink = { name: 'archive', type: 'file', path: path.join(dir, 'archive/x.%Y%m%d%H.log.gz') };
  const sources = [{ name: 'apiserver', path: path.join(dir, 'log') }];
  fs.writeFileSync(config, JSON.stringify({ state_dir: path.join(dir, 'state'), sources, sinks: [sink] }));
  const inject = `inject=${refused.map((call) => `?${call}`).join(',')}:error=EPERM`;
  const { status, stderr } = spawnSync(
    'strace',
    [
      ...['-f', '--seccomp-bpf', '-qq', '-o', path.join(dir, 'trace'), '-e', inject],
      ...[process.execPath, path.join(CHECKOUT, 'dist/main.js'), 'run', '-c', config, '--exit-at-eof'],
    ],
    { encoding: 'utf8', timeout: 60_000 },
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(fs.readdirSync(path.join(dir, 'archive')), ['x.2024050607.log.gz']);
});
