import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/limits.ts';
import { BuildContext } from './image/build-context.ts';
import { readDockerfile } from './image/dockerfile.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TEXT = fs.readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };

test('the image runs the program as process 1, as root, and asks it for its health', () => {
  const { config } = readDockerfile(TEXT);
  assert.deepEqual([...config.entrypoint, ...config.cmd], ['auditail', 'run', '-c', '/etc/auditail/auditail.yaml']);
  assert.deepEqual(config.healthcheck.command, ['auditail', 'status', '-c', '/etc/auditail/auditail.yaml']);
  assert.equal(config.user, '0:0');
  assert.equal(config.stopSignal, 'SIGTERM');
  assert.equal(config.labels['org.opencontainers.image.version'], version);
  assert.ok(TEXT.includes(`docker build -t auditail:${version} .`));
});

test('no path of the configuration in the image differs from what its steps make', () => {
  const image = fs.readFileSync(path.join(ROOT, 'packaging/image.ts'), 'utf8');
  for (const place of [DEFAULTS.stateDir, DEFAULTS.sourcePath]) assert.ok(image.includes(`'${place.slice(1)}'`), place);
});

test('the runtime is that of the lock file, and the major version of Node.js that builds is the same', () => {
  const lock = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'));
  const majors = ['x64', 'arm64'].map((arch) => lock.packages[`node_modules/node-linux-${arch}`].version.split('.')[0]);
  assert.deepEqual([...new Set(majors)], [/^FROM node:(\d+)-/m.exec(TEXT)?.[1]]);
});

test('every COPY finds its source in the build context, and the context holds nothing that no COPY takes', () => {
  const context = new BuildContext(ROOT);
  const taken = new Set<string>();
  for (const { steps } of readDockerfile(TEXT).stages) {
    for (const step of steps) {
      if (step.kind !== 'copy' || step.from !== undefined) continue;
      for (const source of step.sources) {
        context.find(source);
        taken.add(source);
      }
    }
  }
  assert.deepEqual([...taken].toSorted(), [...context.names].toSorted());
});

test('a build context that is not closed, or lacks what COPY names, is refused', () => {
  assert.throws(() => new BuildContext(ROOT, 'node_modules\n'), /does not begin with \*/);
  assert.throws(() => new BuildContext(ROOT, '*\n!src/**\n'), /:2: !src\/\*\* is not of the form/);
  assert.throws(() => new BuildContext(ROOT, '*\n!sources\n'), /:2: there is no sources/);
  assert.throws(() => new BuildContext(ROOT, '*\n!src\n').find('package.json'), /not in the build context/);
  assert.throws(() => new BuildContext(ROOT, '*\n!src\n').find('src/nowhere.ts'), /not in the build context/);
  assert.throws(() => new BuildContext(ROOT, '*\n!src\n').find('src/../package.json'), /not in the build context/);
});

test('the reader refuses what it does not know, and says where', () => {
  const replaced = (from: RegExp, to: string) => {
    const text = TEXT.replace(from, to);
    assert.notEqual(text, TEXT);
    return () => readDockerfile(text);
  };
  const line = TEXT.split('\n').indexOf('WORKDIR /src') + 1;
  assert.throws(replaced(/^WORKDIR.*$/m, 'ADD a b'), new RegExp(`^Error: Dockerfile:${line}: ADD a b: .* not known`));
  assert.throws(replaced(/^WORKDIR.*$/m, 'ARG X=1'), /not known/);
  assert.throws(replaced(/^WORKDIR.*$/m, 'WORKDIR src'), /not an absolute path/);
  assert.throws(replaced(/^WORKDIR.*$/m, 'workdir /src'), /not an instruction/);
  assert.throws(replaced(/^WORKDIR.*$/m, 'USER 1000'), /only the last stage/);
  assert.throws(replaced(/^COPY src.*$/m, 'COPY --chown=1:1 src ./src'), /plain paths/);
  assert.throws(replaced(/^COPY src.*$/m, 'COPY src/*.ts ./src/'), /plain paths/);
  assert.throws(replaced(/--from=build/, '--from=nowhere'), /stage that does not exist/);
  assert.throws(replaced(/type=cache/, 'type=secret'), /cache mount/);
  assert.throws(replaced(/^ENTRYPOINT.*$/m, 'ENTRYPOINT auditail'), /ENTRYPOINT is not of the form/);
  assert.throws(replaced(/^STOPSIGNAL.*$/m, ''), /has no STOPSIGNAL/);
  assert.throws(replaced(/^STOPSIGNAL.*$/m, 'USER 0:0'), /stands twice/);
  assert.throws(replaced(/FROM debian:trixie-slim/, 'FROM --platform=linux/amd64 debian'), /not of the form/);
  assert.throws(() => readDockerfile('RUN true\n'), /before the first FROM/);
});
