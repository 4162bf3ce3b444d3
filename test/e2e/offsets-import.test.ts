/** A switch from another agent: what it had read is not archived once more, and what it had not is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  inodeOf,
  type Known,
  posLine,
  writeFluentBitDb,
  writeKilledFluentBitDb,
  writePosFile,
} from '../cli/offsets/other-agents.ts';
import { bytesOf, SwitchScene } from './offsets-scene.ts';
import { SmallDisk, whyNoSmallDisk } from './small-disk.ts';

type Write = (file: string, entries: readonly Known[]) => void | Promise<void>;

const WAYS: readonly { readonly name: string; readonly write: Write }[] = [
  { name: 'fluentd', write: writePosFile },
  { name: 'Fluent Bit before 5.0.3', write: (file, entries) => writeFluentBitDb(file, entries) },
  { name: 'Fluent Bit 5.0.3', write: (file, entries) => writeFluentBitDb(file, entries, { markers: true }) },
  { name: 'a Fluent Bit that was killed', write: writeKilledFluentBitDb },
];

for (const { name, write } of WAYS) {
  test(`${name}: it goes on in the live file, older parts count as read, also gzipped ones`, async () => {
    await using scene = new SwitchScene();
    const positions = join(scene.root, 'positions');
    const old = scene.part(50);
    writeFileSync(`${old.path}.gz`, gzipSync(readFileSync(old.path)));
    rmSync(old.path);
    scene.part(40);
    const live = scene.live(100);
    await write(positions, [{ path: scene.log, offset: bytesOf(live.lines, 60), inode: inodeOf(scene.log) }]);

    const shown = await scene.offsetsDone(['import', positions, '--dry-run']);
    assert.match(shown, /audit\.log +[0-9.]+ KiB +archive +0 +[0-9,]+ +as flu\S+ read it/);
    assert.match(shown, /nothing was changed\n$/);
    assert.ok(!existsSync(scene.state), 'a dry run makes nothing');

    assert.match(await scene.offsetsDone(['import', positions]), /stored: the agent goes on there/);
    const more = scene.append(10);
    await scene.runsToEnd();
    scene.assertArchived([...live.lines.slice(60), ...more]);
  });

  test(`${name}: rotations after it was stopped are read, oldest first`, async () => {
    await using scene = new SwitchScene();
    const positions = join(scene.root, 'positions');
    scene.part(30);
    const read = scene.live(80);
    await write(positions, [{ path: scene.log, offset: bytesOf(read.lines, 25), inode: inodeOf(scene.log) }]);
    scene.rotated();
    const next = scene.part(30);
    const live = scene.live(20);
    const shown = await scene.offsetsDone(['import', positions]);
    assert.match(shown, /newer: from its head/);
    await scene.runsToEnd();
    scene.assertArchived([...read.lines.slice(25), ...next.lines, ...live.lines]);
  });
}

test('follow_inodes: each file has its own place, and a part between them that has none counts as read', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const first = scene.part(30);
  scene.part(30);
  const live = scene.live(30);
  writePosFile(positions, [
    { path: scene.log, offset: 0xffff_ffff_ffff_ffffn, inode: 12345n },
    { path: scene.log, offset: bytesOf(first.lines, 10), inode: inodeOf(first.path) },
    // An inode that stands twice: the last one counts.
    { path: scene.log, offset: 0, inode: inodeOf(live.path) },
    { path: scene.log, offset: bytesOf(live.lines, 20), inode: inodeOf(live.path) },
  ]);
  await scene.offsetsDone(['import', positions]);
  await scene.runsToEnd();
  scene.assertArchived([...first.lines.slice(10), ...live.lines.slice(20)]);
});

test('a position in the middle of a line backs up to its beginning, and says so', async () => {
  await using scene = new SwitchScene();
  const db = join(scene.root, 'tail.db');
  const live = scene.live(10, '{"kind":"Event","auditID":"to');
  writeFluentBitDb(db, [{ path: scene.log, offset: bytesOf(live.lines) + 11, inode: inodeOf(scene.log) }]);
  const shown = await scene.offsetsDone(['import', db]);
  assert.match(shown, /audit\.log: [0-9,]+ was in the middle of a line, which is read again from [0-9,]+\n/);
  appendFileSync(scene.log, 'rn","objectRef":{"namespace":"team-a"},"stageTimestamp":"2024-05-06T07:00:09.000000Z"}\n');
  await scene.runsToEnd();
  assert.deepEqual(scene.archiveLines().length, 1);
  assert.match(scene.archiveLines()[0]!, /"auditID":"torn"/);
});

test('the state is the one that the agent itself would have', async () => {
  await using scene = new SwitchScene();
  await using twin = new SwitchScene();
  for (const one of [scene, twin]) {
    one.part(20);
    one.live(50);
  }
  await twin.runsToEnd();
  const positions = join(scene.root, 'audit.pos');
  const size = readFileSync(scene.log).length;
  writePosFile(positions, [{ path: scene.log, offset: size, inode: inodeOf(scene.log) }]);
  await scene.offsetsDone(['import', positions]);
  // The same log was written in two places: all that differs is where, and when.
  const tables = (one: SwitchScene) => [
    one.query(
      `SELECT streams.source, replace(segments.path, '${one.root}', '') AS path, head, size_seen, first_time, last_time, finished
       FROM segments JOIN streams ON streams.id = stream ORDER BY first_time`,
    ),
    one.query(
      `SELECT sink, offset, first_time FROM offsets JOIN segments ON segments.id = segment ORDER BY first_time, sink`,
    ),
    // The agent took the log in one commit or in several: the newest anchor and all lines up to it.
    one.query(
      `SELECT first_time, max(anchors.offset) AS offset, length, hash, sum(length(lines)) AS digests
       FROM anchors JOIN segments ON segments.id = segment GROUP BY segment ORDER BY first_time`,
    ),
    one.query('SELECT name FROM sources'),
  ];
  assert.deepEqual(tables(scene), tables(twin));
});

test('a log that a power loss cut back behind an imported place is read on at the line where it differs', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(50);
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines, 40), inode: inodeOf(scene.log) }]);
  await scene.offsetsDone(['import', positions]);
  truncateSync(scene.log, bytesOf(live.lines, 30));
  const more = scene.append(5);
  await scene.runsToEnd();
  scene.assertArchived(more);
});

test('while the agent runs it is refused, says who runs, and changes nothing', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines, 10), inode: inodeOf(scene.log) }]);
  const agent = scene.start();
  const committed = `INSERT INTO offsets VALUES('archive',1,${bytesOf(live.lines)})`;
  await agent.waitFor('a commit', () => scene.dump().includes(committed));
  const before = scene.dump();
  for (const words of [
    ['import', positions, '--replace'],
    ['import', positions, '--replace', '--dry-run'],
    ['reset', '--to', 'head', '--yes'],
  ]) {
    const { code, stdout, stderr } = await scene.offsets(words);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    assert.match(
      stderr,
      new RegExp(`is in use by process ${agent.pid} on .*Nothing was changed\\. Stop the agent first`),
    );
    assert.equal(scene.dump(), before);
  }
});

test('while the other agent has its positions open it is refused', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines, 10), inode: inodeOf(scene.log) }]);
  const fd = openSync(positions, 'r+');
  try {
    const { code, stderr } = await scene.offsets(['import', positions]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`audit\\.pos is in use by process ${process.pid} \\(.*Stop that agent first`));
    assert.ok(!existsSync(scene.database));
  } finally {
    closeSync(fd);
  }
});

test('a state that has places is left alone, unless they are to be replaced', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  await scene.runsToEnd();
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines, 15), inode: inodeOf(scene.log) }]);
  const before = scene.dump();
  const { code, stderr } = await scene.offsets(['import', positions]);
  assert.equal(code, 2);
  assert.match(stderr, /the sink archive has a place in .*audit\.log already, and nothing was changed.*--replace/);
  assert.equal(scene.dump(), before);
  await scene.offsetsDone(['import', positions, '--replace', '--dry-run']);
  assert.equal(scene.dump(), before);
  await scene.offsetsDone(['import', positions, '--replace']);
  await scene.runsToEnd();
  scene.assertArchived([...live.lines, ...live.lines.slice(15)]);
});

test('a sink that is added takes the place that the other agent had, and the archive stays where it is', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const old = scene.part(10);
  const live = scene.live(20);
  await scene.runsToEnd();
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines, 15), inode: inodeOf(scene.log) }]);
  const config = scene.config();
  const second = { name: 'second', type: 'file', path: join(scene.root, 'second', '${tag}.%Y%m%d%H.log.gz') };
  const both = { ...config, sinks: [...(config.sinks as object[]), second] };
  await scene.offsetsDone(['import', positions, '--sink', 'second'], both);
  await scene.runsToEnd(both);
  scene.assertArchived([...old.lines, ...live.lines]);
  scene.assertArchived(live.lines.slice(15), join(scene.root, 'second'));
});

test('a part that was gzipped meanwhile cannot be told by its inode: it is refused, or all is read', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const read = scene.live(40);
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(read.lines, 30), inode: inodeOf(scene.log) }]);
  const part = scene.rotated();
  writeFileSync(`${part}.gz`, gzipSync(readFileSync(part)));
  const live = scene.live(5);
  rmSync(part);
  const { code, stdout, stderr } = await scene.offsets(['import', positions]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /the position of \S+audit\.log cannot be placed: no file of the log has the inode \d+ \(line 1\)\. Nothing was changed/,
  );
  assert.match(stdout, /not taken over: line 1/);
  assert.ok(!existsSync(scene.database));
  const tail = scene.config({ source: { read_from: 'tail' } });
  await scene.offsetsDone(['import', positions, '--or-head'], tail);
  // The operator knows better: the part is the one that was read so far.
  const offset = String(bytesOf(read.lines, 30));
  await scene.offsetsDone(['reset', '--file', `${part}.gz`, '--to', offset, '--yes'], tail);
  await scene.runsToEnd(tail);
  scene.assertArchived([...read.lines.slice(30), ...live.lines]);
});

test('a file that was truncated since is no place', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines), inode: inodeOf(scene.log) }]);
  truncateSync(scene.log, bytesOf(live.lines, 3));
  const { code, stderr } = await scene.offsets(['import', positions]);
  assert.equal(code, 1);
  assert.match(stderr, /audit\.log has only \d+ bytes: it was truncated since/);
});

test("an inode that is another log's now is no place, and positions of other logs are told", async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  writePosFile(positions, [{ path: '/var/log/containers/x.log', offset: 10, inode: inodeOf(scene.log) }]);
  const { code, stdout, stderr } = await scene.offsets(['import', positions]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /\/var\/log\/containers\/x\.log: no log of a source has this path; its inode \d+ is that of \S+audit\.log now/,
  );
  assert.match(stderr, /has no position of a log that a source reads/);
  await scene.runsToEnd();
  scene.assertArchived(live.lines);
});

test('the path may be one through a symlink', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  const real = join(scene.root, 'real');
  renameSync(join(scene.root, 'log'), real);
  mkdirSync(join(scene.root, 'log'));
  symlinkSync(join(real, 'audit.log'), scene.log);
  writePosFile(positions, [
    { path: join(real, 'audit.log'), offset: bytesOf(live.lines, 5), inode: inodeOf(scene.log) },
  ]);
  await scene.offsetsDone(['import', positions]);
  await scene.runsToEnd();
  scene.assertArchived(live.lines.slice(5));
});

test('read_from applies to the other logs of the source as at its first start', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  const other = join(scene.root, 'log', 'other.log');
  writeFileSync(other, live.lines.join(''));
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines, 5), inode: inodeOf(scene.log) }]);
  const config = scene.config({ source: { path: join(scene.root, 'log'), read_from: 'tail' } });
  await scene.offsetsDone(['import', positions], config);
  await scene.runsToEnd(config);
  scene.assertArchived(live.lines.slice(5));
});

test('a directory of logs: each has its own place, and --json tells all of it', async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const one = scene.live(20);
  const path = join(scene.root, 'log', 'other.log');
  renameSync(scene.log, path);
  const two = scene.live(20);
  writePosFile(positions, [
    { path, offset: bytesOf(one.lines, 3), inode: inodeOf(path) },
    { path: scene.log, offset: bytesOf(two.lines, 7), inode: inodeOf(scene.log) },
    { path: '/elsewhere.log', offset: 1, inode: 1n },
  ]);
  const config = scene.config({ source: { path: join(scene.root, 'log') } });
  const result = JSON.parse(await scene.offsetsDone(['import', positions, '--json'], config));
  const placed = result.files.map((file: { path: string; sinks: { after: number }[] }) => [
    file.path,
    file.sinks[0]!.after,
  ]);
  assert.deepEqual(
    new Map(placed),
    new Map([
      [path, bytesOf(one.lines, 3)],
      [scene.log, bytesOf(two.lines, 7)],
    ]),
  );
  assert.deepEqual(result.other, [
    { place: 'line 3', path: '/elsewhere.log', inode: '1', offset: '1', reason: 'no log of a source has this path' },
  ]);
  assert.deepEqual([result.stored, result.from, result.lost], [true, 'fluentd', []]);
  await scene.runsToEnd(config);
  scene.assertArchived([...one.lines.slice(3), ...two.lines.slice(7)]);
});

test('what is no file of positions is one clear sentence', async () => {
  await using scene = new SwitchScene();
  scene.live(1);
  const positions = join(scene.root, 'audit.pos');
  const failed = async (...words: string[]) => {
    const { code, stdout, stderr } = await scene.offsets(['import', positions, ...words]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, /^auditail: [^\n]+\n$/);
    assert.ok(!existsSync(scene.database));
    return stderr;
  };
  assert.match(await failed(), /cannot read .*audit\.pos: ENOENT/);
  writeFileSync(positions, `${posLine({ path: '/a', offset: 1, inode: 2n })}garbage\n`);
  assert.match(await failed(), /audit\.pos:2: "garbage" is no line of a pos_file of fluentd/);
  assert.match(
    await failed('--from', 'fluent-bit'),
    /is no SQLite database, and so no file with the positions of fluent-bit/,
  );
});

test('what root makes in a state directory belongs to its owner', {
  skip: process.geteuid?.() === 0 ? false : 'only root can give files away',
}, async () => {
  await using scene = new SwitchScene();
  const positions = join(scene.root, 'audit.pos');
  const live = scene.live(20);
  writePosFile(positions, [{ path: scene.log, offset: bytesOf(live.lines, 5), inode: inodeOf(scene.log) }]);
  mkdirSync(scene.state);
  writeFileSync(join(scene.state, 'mine'), '');
  chownSync(scene.state, 12_345, 12_346);
  await scene.offsetsDone(['import', positions]);
  const owners = readdirSync(scene.state).map((name) => [name, statSync(join(scene.state, name)).uid]);
  assert.deepEqual(Object.fromEntries(owners), {
    'lock.holder': 12_345,
    'lock.sqlite': 12_345,
    mine: 0,
    'state.sqlite': 12_345,
  });
});

test('a position that an operator writes is taken like any other', async () => {
  await using scene = new SwitchScene();
  const live = scene.live(20);
  const place = join(scene.root, 'place');
  const offset = bytesOf(live.lines, 12);
  const script = `printf '%s\\t%016x\\t%016x\\n' ${scene.log} ${offset} "$(stat -c %i ${scene.log})" > ${place}`;
  execFileSync('bash', ['-c', script]);
  await scene.offsetsDone(['import', place]);
  await scene.runsToEnd();
  scene.assertArchived(live.lines.slice(12));
});

test('a log of CRI: it goes on before the first part of a line that the other agent had not joined yet', async () => {
  await using scene = new SwitchScene();
  const config = scene.config({ sources: [{ name: 'apiserver', path: scene.log, format: 'cri' }] });
  const positions = join(scene.root, 'positions');
  const wrapped = (tag: string, text: string, stream = 'stdout') => `2024-05-06T07:00:00.1Z ${stream} ${tag} ${text}\n`;
  const events = scene.live(3).lines.map((line) => line.trimEnd());
  const [first, second, third] = events as [string, string, string];
  const read = [
    wrapped('F', first),
    wrapped('P', second.slice(0, 40)),
    wrapped('F', 'I0506 07:00:00.1 1 klog.go:1] text', 'stderr'),
    wrapped('P', second.slice(40, 80)),
  ];
  const rest = [wrapped('F', second.slice(80)), wrapped('F', third)];
  writeFileSync(scene.log, [...read, ...rest].join(''));
  await writePosFile(positions, [{ path: scene.log, offset: bytesOf(read), inode: inodeOf(scene.log) }]);

  assert.match(await scene.offsetsDone(['import', positions], config), /stored: the agent goes on there/);
  await scene.runsToEnd(config);
  scene.assertArchived([`${second}\n`, `${third}\n`]);

  // Between two parts is no place for a sink.
  const { code, stderr } = await scene.offsets(['reset', '--file', scene.log, '--to', `${bytesOf(read)}`], config);
  assert.equal(code, 2);
  assert.match(stderr, new RegExp(`between two parts .* The first of them begins at ${bytesOf(read, 1)}`));
});

for (const { name, write } of WAYS) {
  test(`${name}: two logs whose files have one inode number, on two file systems`, {
    skip: whyNoSmallDisk(),
  }, async () => {
    using one = new SmallDisk(1);
    using other = new SmallDisk(1);
    await using scene = new SwitchScene();
    const lines = [scene.live(10).lines, scene.live(10).lines];
    const logs = [one, other].map(({ path }) => join(path, 'audit.log'));
    for (const [index, log] of logs.entries()) writeFileSync(log, lines[index]!.join(''));
    assert.equal(inodeOf(logs[0]!), inodeOf(logs[1]!));
    const positions = join(scene.root, 'positions');
    await write(
      positions,
      logs.map((log, index) => ({ path: log, offset: bytesOf(lines[index]!), inode: inodeOf(log) })),
    );
    const config = scene.config({ sources: logs.map((log, index) => ({ name: `source${index}`, path: log })) });
    await scene.offsetsDone(['import', positions], config);
    await scene.runsToEnd(config);
    scene.assertArchived([]);
  });
}

test('a database with rows that are none of Fluent Bit is refused, and so is a file that is too large', async () => {
  await using scene = new SwitchScene();
  scene.live(5);
  const positions = join(scene.root, 'positions');
  for (const row of [
    'NULL, 5, 1',
    "x'00', 5, 1",
    "'/log', -5, 1",
    "'/log', 'abc', 1",
    "'/log', 5.5, 1",
    "'/log', 5, NULL",
  ]) {
    rmSync(positions, { force: true });
    const sql = `CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name, offset, inode); INSERT INTO in_tail_files VALUES (1, ${row});`;
    execFileSync('sqlite3', [positions, sql]);
    const { code, stderr } = await scene.offsets(['import', positions]);
    assert.deepEqual([code, /the row with id 1 is none of Fluent Bit's/.test(stderr)], [2, true], stderr);
  }
  rmSync(positions);
  writeFileSync(positions, '');
  truncateSync(positions, 3 * 1024 ** 3);
  const { code, stderr } = await scene.offsets(['import', positions]);
  assert.deepEqual([code, /has 3221225472 bytes, and is no pos_file/.test(stderr)], [2, true], stderr);
});
