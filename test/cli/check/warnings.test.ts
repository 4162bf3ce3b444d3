import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { openDatabase, statePath } from '../../../src/checkpoint/database.ts';
import { directoryWarnings } from '../../../src/cli/check/directory-warnings.ts';
import { sourceWarnings } from '../../../src/cli/check/source-warnings.ts';
import { stateWarnings } from '../../../src/cli/check/state-warnings.ts';
import type { Warning } from '../../../src/cli/check/warning.ts';
import { formatPath } from '../../../src/config/config-error.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import type { Config } from '../../../src/config/types.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-warnings-'));
after(() => rmSync(root, { recursive: true }));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(root, 'case-'));
  mkdirSync(path.join(directory, 'log'));
});

function at(...names: string[]): string {
  return path.join(directory, ...names);
}

function log(...names: string[]): void {
  for (const name of names) writeFileSync(at('log', name), '');
}

function configOf(text: string): Config {
  return parseConfig(text.replaceAll('DIR', directory), { file: 'f', env: {} });
}

function shown(warnings: readonly Warning[]): string[] {
  return warnings.map(({ path: key, message }) => `${formatPath(key)}: ${message.replaceAll(directory, 'DIR')}`);
}

/** The warnings of one source; logrotate's configuration is `DIR/logrotate.d`. */
async function ofSource(source: string, more = ''): Promise<string[]> {
  return shown(await sourceWarnings(configOf(`sources: [{ path: ${source} }]\n${more}`), [at('logrotate.d')]));
}

test('a log that is not there yet is waited for; one whose directory is missing is doubted', async () => {
  assert.deepEqual(await ofSource('DIR/log/audit.log'), [
    'sources[0].path: DIR/log/audit.log does not exist yet; the agent waits for it',
  ]);
  assert.deepEqual(await ofSource('DIR/lgo/audit.log'), [
    'sources[0].path: DIR/lgo/audit.log does not exist, nor does DIR/lgo; is it spelled right?',
  ]);
  assert.deepEqual(await ofSource('DIR/log/*.log'), [], 'a glob may match later');
  assert.deepEqual(await ofSource("'DIR/nope/*/a.log'"), [
    'sources[0].path: DIR/nope does not exist yet; the agent waits for it',
  ]);
});

test('a path that stands below a file is told', async () => {
  log('file');
  assert.equal((await ofSource('DIR/log/file/audit.log')).length, 1);
});

test('two sources on one path repeat every line', async () => {
  log('audit.log');
  const config = configOf('sources: [{ path: DIR/log }, { name: b, path: DIR/log/ }]');
  assert.deepEqual(shown(await sourceWarnings(config, [])), [
    'sources[1].path: sources[0] reads DIR/log too, so every line arrives twice',
  ]);
});

test('logrotate and the apiserver on one log are told by the names they leave', async () => {
  const told =
    'sources[0].path: DIR/log/audit.log is rotated by the kube-apiserver and by logrotate, as ' +
    'WITNESS shows; let only one of them rotate, or parts are never pruned, or are deleted unread';
  log('audit.log', 'audit-2026-11-20T15-04-05.000.log.1');
  assert.deepEqual(await ofSource('DIR/log'), [told.replace('WITNESS', 'audit-2026-11-20T15-04-05.000.log.1')]);
  rmSync(at('log/audit-2026-11-20T15-04-05.000.log.1'));
  log('audit-2026-11-20T15-04-05.000.log.gz', 'audit.log.1');
  assert.deepEqual(await ofSource('DIR/log/audit.log'), [told.replace('WITNESS', 'audit.log.1')]);
  rmSync(at('log/audit.log.1'));
  assert.deepEqual(await ofSource('DIR/log/audit.log'), [], 'one of them alone is fine');
});

test('logrotate is found in its configuration, by path and by glob', async () => {
  log('audit.log');
  mkdirSync(at('logrotate.d'));
  const naming = async (text: string) => {
    writeFileSync(at('logrotate.d/audit'), text.replaceAll('DIR', directory));
    return (await ofSource('DIR/log/audit.log')).map((line) => /\(DIR\/logrotate\.d\/audit:(\d+)\)/.exec(line)?.[1]);
  };
  assert.deepEqual(await naming('# audit\nDIR/log/audit.log {\n  rotate 4\n}\n'), ['2']);
  assert.deepEqual(await naming('daily\n"DIR/log/other.log" "DIR/log/audit.log"\n{\n}\n'), ['2']);
  assert.deepEqual(await naming('DIR/log/*.log { weekly }\n'), ['1']);
  assert.deepEqual(await naming('DIR/log/{a,audit}.log{\n}\n'), ['1']);
  assert.deepEqual(await naming('DIR/log/other.log {\n  olddir DIR/log/audit.log\n}\n'), [], 'a directive is no path');
  assert.deepEqual(await naming('# DIR/log/audit.log {\nDIR/log/*.txt {\n}\n'), []);
});

test('parts that live shorter than a commit are told, by the times in their names', async () => {
  log('audit.log', 'audit-2026-11-20T15-04-01.000.log.gz', 'audit-2026-11-20T15-04-02.000.log');
  log('audit-2026-11-20T15-04-02.000.log.gz', 'audit-2026-11-20T15-04-03.000.log');
  const short =
    'sources[0].path: the 3 rotated parts of DIR/log/audit.log cover about 3s, less than commit.interval (5s): lines may ' +
    'be deleted before they are committed; raise --audit-log-maxbackup or --audit-log-maxsize, or lower commit.interval';
  assert.deepEqual(await ofSource('DIR/log'), [short]);
  assert.deepEqual(await ofSource('DIR/log', 'commit: { interval: 3s }'), []);
});

test('other parts are timed by their last write', async () => {
  log('audit.log', 'audit.log.1', 'audit.log.2.gz');
  utimesSync(at('log/audit.log.1'), 1000, 1000);
  utimesSync(at('log/audit.log.2.gz'), 999, 999);
  const window = (lines: string[]) => lines.filter((line) => line.includes('cover about 2s'));
  assert.equal(window(await ofSource('DIR/log')).length, 1);
  utimesSync(at('log/audit.log.2.gz'), 900, 900);
  assert.deepEqual(await ofSource('DIR/log'), []);
});

test('directories that could be made are fine, and none is made', () => {
  const text = 'state_dir: DIR/a/b/state\nsinks: [{ name: x, type: file, path: "DIR/out/c/${tag}.log" }]';
  assert.deepEqual(directoryWarnings(configOf(text)), []);
  assert.deepEqual(readdirSync(directory), ['log']);
});

test('directories that every user may write to are told', async () => {
  for (const name of ['state', 'out', 'log']) {
    mkdirSync(at(name), { recursive: true });
    chmodSync(at(name), 0o777);
  }
  log('audit.log');
  const text =
    'state_dir: DIR/state\nsources: [{ path: DIR/log/audit.log }]\nsinks: [{ name: x, type: file, path: "DIR/out/${tag}.log" }]';
  const config = configOf(text);
  assert.deepEqual(shown(directoryWarnings(config)), [
    'state_dir: every user of this host may write to DIR/state; chmod o-w closes it',
    'sinks[0].path: every user of this host may write to DIR/out; chmod o-w closes it',
  ]);
  const found = shown(await sourceWarnings(config, []));
  assert.deepEqual(found, [
    'sources[0].path: every user of this host may put a link into DIR/log, and have the agent read what it points to',
  ]);
});

test('a file where a directory should be is told', () => {
  log('file');
  const text = 'state_dir: DIR/log/file\nsinks: [{ name: x, type: file, path: "DIR/log/file/x/${tag}.log" }]';
  assert.deepEqual(shown(directoryWarnings(configOf(text))), [
    'state_dir: DIR/log/file cannot be created or written to (DIR/log/file is no directory)',
    'sinks[0].path: DIR/log/file/x cannot be created or written to (a part of DIR/log/file/x is no directory)',
  ]);
});

test('a sink that only the state database names is told', () => {
  const config = configOf('state_dir: DIR/state\nsinks: [{ name: here, type: file }]');
  assert.deepEqual(stateWarnings(config, 'a.yaml'), []);
  assert.ok(!existsSync(config.stateDir), 'looking creates nothing');
  const db = openDatabase(config.stateDir, 'process');
  db.exec(`
    INSERT INTO streams (id, source, path) VALUES (1, 'apiserver', '/log');
    INSERT INTO segments (id, stream, device, inode, head, path, size_seen, seen_at) VALUES (1, 1, '1', '1', '', '', 0, 0);
    INSERT INTO offsets (sink, segment, offset) VALUES ('here', 1, 5), ('gone', 1, 5);
    INSERT INTO archives (sink, path, wanted_path, slot, tag, compress, created_at) VALUES ('old', '/a', '/a', 0, '', '', 0);
  `);
  db.close();
  assert.deepEqual(
    stateWarnings(config, 'a.yaml').map(({ path: key, message }) => [
      formatPath(key),
      /a sink (\w+) that/.exec(message)?.[1],
      /forget-sink -c a.yaml (\w+)$/.exec(message)?.[1],
      /rename-sink -c a.yaml (\w+ \w+);/.exec(message)?.[1],
    ]),
    [
      ['sinks', 'gone', 'gone', 'gone NEW'],
      ['sinks', 'old', 'old', 'old NEW'],
    ],
  );
  const renamed = configOf(
    'state_dir: DIR/state\nsinks: [{ name: here, type: file }, { name: new, type: file, path: "/b/${tag}" }]',
  );
  assert.match(stateWarnings(renamed, 'a.yaml')[0]?.message ?? '', /rename-sink -c a.yaml gone new;/);
});

test('a source that may have got another name is told while the new one is new', () => {
  const config = configOf('state_dir: DIR/state\nsources: [{ name: renamed }]');
  const db = openDatabase(config.stateDir, 'process');
  db.exec("INSERT INTO sources (name, started_at) VALUES ('apiserver', 0)");
  const warnings = () => stateWarnings(config, 'a.yaml').map(({ path: key, message }) => [formatPath(key), message]);
  assert.deepEqual(
    warnings().map(([key]) => key),
    ['sources'],
  );
  assert.match(warnings()[0]![1]!, /places of a source apiserver .* and renamed is new: .* give it its old name/);
  db.exec("INSERT INTO sources (name, started_at) VALUES ('renamed', 0)");
  db.close();
  assert.deepEqual(warnings(), []);
});

test('a state database that cannot be read is a warning with its way out', () => {
  const config = configOf('state_dir: DIR/state');
  mkdirSync(config.stateDir);
  writeFileSync(statePath(config.stateDir), 'no database, but long enough to have a header that is wrong');
  const [warning, ...others] = stateWarnings(config, 'a.yaml');
  assert.deepEqual(others, []);
  assert.deepEqual(warning?.path, ['state_dir']);
  assert.match(warning?.message ?? '', /state\.sqlite is damaged/);
});
