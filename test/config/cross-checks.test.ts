import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMPRESSIONS, ENDINGS } from '../../src/config/types.ts';
import { errorsOf } from './parse.ts';

function file(name: string, path: string): string {
  return `  - { name: ${name}, type: file, path: '${path}' }\n`;
}

test('names are unique among sources and among sinks', () => {
  assert.deepEqual(errorsOf('sources:\n  - { path: /log/a }\n  - { path: /log/b }\n'), [
    '3:5: sources[1].name: the name apiserver belongs to sources[0] already; give each its own',
  ]);
  assert.deepEqual(errorsOf(`sinks:\n${file('a', '/x/${tag}')}${file('a', '/y/${tag}')}`), [
    '3:13: sinks[1].name: the name a belongs to sinks[0] already; give each its own',
  ]);
  assert.deepEqual(errorsOf(`sources: [{ name: a }]\nsinks:\n${file('a', '/x/${tag}')}`), []);
});

test('two sinks never share files', () => {
  const shared = (a: string, b: string) => errorsOf(`sinks:\n${file('a', a)}${file('b', b)}`);
  const error = ['3:34: sinks[1].path: could write the same files as sinks[0]; give each sink paths of its own'];
  assert.deepEqual(shared('/x/a-${tag}.%H.log', '/x/a-${tag}.%H.log'), error);
  assert.deepEqual(shared('/x/a-${tag}.%H.log', '/x//a-${tag[1..]}.%d.log'), error, 'other fields, equal files');
  assert.deepEqual(shared('/x/a-${tag}.%H.log', '/x/b-${tag}.%H.log'), []);
});

test('a sink never writes what a source reads', () => {
  const written = (source: string, sink: string) =>
    errorsOf(`sources: [{ path: '${source}' }]\nsinks:\n${file('a', sink)}`).length > 0;
  const inside: [string, string][] = [
    ['/log/audit', '/log/audit/x-${tag}.log'],
    ['/log/audit', '/log/audit/deep/x-${tag}.log'],
    ['/log/audit.log', '/log/audit-${tag}.log'],
    ['/log/audit.log', '/log/${tag}.log'],
    ['/log/*.log', '/log/x-${tag}.log'],
    ['/log/*/audit*', '/log/a/audit.log'],
    ['/log/a/audit.log', '/log/${tag}/audit.log'],
    ['/', '/log/x.log'],
  ];
  for (const [source, sink] of inside) assert.ok(written(source, sink), `${source} reads ${sink}`);
  const apart: [string, string][] = [
    ['/log/audit', '/log/auditail/x-${tag}.log'],
    ['/log/audit.log', '/log/kube-${tag}.log'],
    ['/log/audit*.log', '/log/kube-${tag}.log'],
    ['/log/*/audit.log', '/out/audit.log'],
  ];
  for (const [source, sink] of apart) assert.ok(!written(source, sink), `${source} does not read ${sink}`);
});

test('the default archive is checked too, and told at the top of a file that does not name it', () => {
  assert.deepEqual(errorsOf('log: {}\nsources:\n  - path: /var/log/auditail\n'), [
    '1:1: sinks[0].path: is inside the path of sources[0], which would read what this sink writes; use another directory',
  ]);
});

test('the state directory is apart from the sources', () => {
  assert.deepEqual(errorsOf('state_dir: /log/audit/state\nsources: [{ path: /log/audit }]\n'), [
    '1:12: state_dir: the state directory is inside the path of sources[0], which would read it',
  ]);
});

test('memory holds two of the longest lines', () => {
  assert.deepEqual(errorsOf('memory_limit: 16MiB\n'), [
    '1:1: sources[0].max_line_bytes: max_line_bytes may be at most 1/2 of memory_limit (16MiB), and is 16MiB',
  ]);
  assert.deepEqual(errorsOf('memory_limit: 8MiB\nsources:\n  - max_line_bytes: 5MiB\n'), [
    '3:21: sources[0].max_line_bytes: max_line_bytes may be at most 1/2 of memory_limit (8MiB), and is 5MiB',
  ]);
  assert.deepEqual(errorsOf('memory_limit: 8MiB\nsources: [{ max_line_bytes: 4MiB }]\n'), []);
});

test('a file is not called what it is not', () => {
  const told = (compress: string, path: string) =>
    errorsOf(`sinks:\n  - { name: a, type: file, path: ${path}, compress: ${compress} }\n`);
  for (const [compress, ending] of [
    ['none', '.gz'],
    ['none', '.zst'],
    ['gzip', '.zst'],
    ['zstd', '.gz'],
  ] as const) {
    assert.deepEqual(told(compress, `/x/a${ending}`), [
      `2:34: sinks[0].path: ends in ${ending} although compress is ${compress}; give it another ending`,
    ]);
  }
  for (const compress of COMPRESSIONS) {
    assert.deepEqual(told(compress, `/x/a${ENDINGS[compress]}`), []);
    assert.deepEqual(told(compress, '/x/a.log'), []);
    assert.deepEqual(errorsOf(`sinks:\n  - { name: a, type: file, compress: ${compress} }\n`), []);
  }
});

test('a level is one of its compression', () => {
  const told = (keys: string) => errorsOf(`sinks:\n  - { name: a, type: file, ${keys} }\n`);
  assert.deepEqual(told('level: 10'), ['2:35: sinks[0].level: expected a whole number from 1 to 9 for gzip, found 10']);
  assert.deepEqual(told('level: 19, compress: zstd'), []);
  assert.deepEqual(told('level: 9'), []);
});

test('retention does not contradict itself', () => {
  assert.deepEqual(errorsOf('sinks:\n  - { name: a, type: file, retention: { max_age: 1h } }\n'), [
    '2:50: sinks[0].retention.max_age: is shorter than min_keep, which wins; make min_keep shorter or max_age longer',
  ]);
});

test('they are found also while other keys are wrong', () => {
  const errors = errorsOf(`thread: 1\nsinks:\n${file('a', '/x/${tag}')}  - { name: b }\n${file('c', '/x/${tag}')}`);
  assert.deepEqual(
    errors.map((line) => line.split(': ')[1]),
    ['thread', 'sinks[1].type', 'sinks[2].path'],
  );
});

test('only the log of a container has streams', () => {
  const source = (keys: string) => errorsOf(`sources:\n  - { path: /log/a, ${keys} }\n`);
  const message = 'only the log of a container has streams: set format to cri or docker, or leave stream out';
  assert.deepEqual(source('stream: stdout'), [`2:21: sources[0].stream: ${message}`]);
  assert.deepEqual(source('format: json, stream: all'), [`2:35: sources[0].stream: ${message}`]);
  for (const format of ['cri', 'docker']) assert.deepEqual(source(`format: ${format}, stream: stderr`), []);
  assert.match(source('format: cri, stream: both').join(), /sources\[0\]\.stream: .*stdout.*stderr.*all/);
});
