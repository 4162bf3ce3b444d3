import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { auditail } from './cli-process.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-check-'));
after(() => rmSync(root, { recursive: true }));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(root, 'case-'));
});

/** Writes a configuration whose places are all below the test's directory. */
function configure(text: string): string {
  const file = path.join(directory, 'auditail.yaml');
  writeFileSync(file, text.replaceAll('DIR', directory));
  return file;
}

const GOOD = `state_dir: DIR/state
sources: [{ path: DIR/log/audit.log }]
sinks: [{ name: archive, type: file, path: 'DIR/out/\${tag}.%Y%m%d%H.log.gz' }]
`;

function makeLog(): void {
  mkdirSync(path.join(directory, 'log'));
  writeFileSync(path.join(directory, 'log/audit.log'), '');
}

test('three typos are three lines on stderr, and exit code 2', async () => {
  const file = configure('state_dri: /x\nsources:\n  - read_from: haed\n    max_line_bytes: 16MB iB\n');
  const { code, stdout, stderr } = await auditail(['check', '-c', file]);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  assert.deepEqual(stderr.split('\n'), [
    `${file}:1:1: state_dri: unknown key; did you mean state_dir?`,
    `${file}:3:16: sources[0].read_from: expected one of head, tail, found "haed"`,
    `${file}:4:21: sources[0].max_line_bytes: expected a size such as 64KiB, 10GiB or 4096, found "16MB iB"`,
    `${file} is not valid: 3 errors`,
    '',
  ]);
});

test('the same errors as JSON', async () => {
  const file = configure('state_dri: /x\n');
  const { code, stdout, stderr } = await auditail(['check', '-c', file, '--json']);
  assert.deepEqual({ code, stderr }, { code: 2, stderr: '' });
  assert.deepEqual(JSON.parse(stdout), {
    file,
    valid: false,
    errors: [{ line: 1, column: 1, path: 'state_dri', message: 'unknown key; did you mean state_dir?' }],
    warnings: [],
    sources: [],
    sinks: [],
  });
});

test('a configuration that is fine is summed up', async () => {
  makeLog();
  const file = configure(GOOD);
  assert.deepEqual(await auditail(['check', '--config', file]), {
    code: 0,
    stdout:
      `source  apiserver  ${directory}/log/audit.log as audit, from its head\n` +
      `sink    archive    ** to ${directory}/out/\${tag}.%Y%m%d%H.log.gz (gzip 6, UTC, kept for ever)\n` +
      `${file} is valid, with no warnings\n`,
    stderr: '',
  });
  const json = JSON.parse((await auditail(['check', '-c', file, '--json'])).stdout);
  assert.equal(json.valid, true);
  assert.equal(json.sinks[0].path, `${directory}/out/\${tag}.%Y%m%d%H.log.gz`);
});

test('a warning has its line, and is no failure', async () => {
  const file = configure(GOOD);
  const { code, stdout, stderr } = await auditail(['check', '-c', file]);
  assert.equal(code, 0);
  assert.equal(
    stderr,
    `${file}:2:19: sources[0].path: warning: ${directory}/log/audit.log does not exist, nor does ${directory}/log; ` +
      'is it spelled right?\n',
  );
  assert.match(stdout, /is valid, with 1 warning\n$/);
});

test('the file comes from -c and from nowhere else', async () => {
  const { code, stderr } = await auditail(['check']);
  assert.equal(code, 2);
  assert.match(stderr, /^auditail: required option '-c, --config <file>' not specified/);
});

test('what the agent’s user may not read or write is told', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root, to make files that another user may not read');
  makeLog();
  const file = configure(GOOD);
  for (const open of [root, directory, path.join(directory, 'log'), file]) chmodSync(open, 0o755);
  chmodSync(path.join(directory, 'log/audit.log'), 0o600);
  const nobody = 65_534;
  const { code, stdout, stderr } = await auditail(['check', '-c', file, '--json'], { uid: nobody, cwd: '/' });
  assert.equal(stderr, '');
  const warnings = JSON.parse(stdout).warnings as { path: string; message: string }[];
  assert.equal(code, 0);
  assert.deepEqual(
    warnings.map(({ path: key, message }) => [key, message.replaceAll(directory, 'DIR').split(';')[0]]),
    [
      ['state_dir', 'DIR/state cannot be created or written to (DIR: EACCES)'],
      ['sources[0].path', 'DIR/log/audit.log is not readable by this user (EACCES)'],
      ['sinks[0].path', 'DIR/out cannot be created or written to (DIR: EACCES)'],
    ],
  );
  chmodSync(path.join(directory, 'log'), 0o700);
  const closed = JSON.parse((await auditail(['check', '-c', file, '--json'], { uid: nobody, cwd: '/' })).stdout);
  assert.match(
    closed.warnings[1].message,
    /audit\.log is not readable by this user \(EACCES\)/,
    'not "does not exist"',
  );
  assert.equal(closed.warnings.length, 3);
});
