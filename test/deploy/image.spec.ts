import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/limits.ts';
import { parseDuration } from '../../src/config/units.ts';
import { removeNow, removeWithParent } from '../helpers/children.ts';
import { NoBase } from './image/base-images.ts';
import { BuildContext } from './image/build-context.ts';
import { buildImage } from './image/build-image.ts';
import { Container, type ContainerOptions } from './image/container.ts';
import { readDockerfile } from './image/dockerfile.ts';
import { whyNoImage } from './image/namespaces.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Some user that is not root: the kube-apiserver runs as one where its distribution says so. */
const APISERVER = 64_535;

const HOUR = '2024050607';

function event(id: number, namespace = 'kube-system'): string {
  const objectRef = { namespace };
  return `${JSON.stringify({ kind: 'Event', auditID: `${id}`, objectRef, stageTimestamp: '2024-05-06T07:00:00Z' })}\n`;
}

/** What a host gives to the container: a log that only its owner can read, a state and an archive. */
class Host implements Disposable {
  readonly #dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-host-'));
  readonly #log = path.join(this.#dir, 'log/audit.log');

  constructor(owner: number) {
    removeWithParent(this.#dir);
    for (const name of ['log', 'state', 'archive']) fs.mkdirSync(path.join(this.#dir, name), { mode: 0o700 });
    fs.writeFileSync(this.#log, '', { mode: 0o600 });
    for (const place of [this.#log, path.dirname(this.#log)]) fs.chownSync(place, owner, owner);
  }

  write(...lines: string[]): void {
    fs.appendFileSync(this.#log, lines.join(''));
  }

  rotate(): void {
    fs.renameSync(this.#log, path.join(this.#dir, 'log/audit-2024-05-06T07-30-00.000.log'));
    fs.writeFileSync(this.#log, '', { mode: 0o600 });
    fs.chownSync(this.#log, fs.statSync(path.dirname(this.#log)).uid, 0);
  }

  /** What zcat finds in the file of a namespace; empty while there is none. */
  archived(namespace = 'kube-system'): string {
    const file = path.join(this.#dir, `archive/audit-${namespace}.${HOUR}.log.gz`);
    if (!fs.existsSync(file)) return '';
    const { status, stdout, stderr } = spawnSync('zcat', [file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout;
  }

  get mounts(): ContainerOptions['mounts'] {
    const at = (name: string) => path.join(this.#dir, name);
    return [
      { source: at('log'), target: '/var/log/kubernetes/audit', readOnly: true },
      { source: at('state'), target: '/var/lib/auditail' },
      { source: at('archive'), target: '/var/log/auditail' },
    ];
  }

  [Symbol.dispose](): void {
    removeNow(this.#dir);
  }
}

test('the steps of the Dockerfile make an image that does the work', { skip: whyNoImage() }, async (t) => {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-image-'));
  removeWithParent(work);
  t.after(() => removeNow(work));
  const dockerfile = readDockerfile(fs.readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8'));
  const { entrypoint, cmd, healthcheck, stopSignal } = dockerfile.config;
  const start = performance.now();
  const options = {
    context: new BuildContext(ROOT),
    work,
    runtime: fs.realpathSync(path.join(ROOT, `node_modules/node-linux-${process.arch}`)),
    tell: (step: string) => t.diagnostic(`${((performance.now() - start) / 1000).toFixed(1)} s ${step}`),
  };
  let root: string;
  try {
    root = buildImage(dockerfile, options);
  } catch (error) {
    if (!(error instanceof NoBase)) throw error;
    return t.skip(error.message);
  }
  const run = (host: Host, capabilities = ['dac_read_search']) =>
    new Container({ root, mounts: host.mounts, capabilities, command: [...entrypoint, ...cmd] });
  const isHealthy = (container: Container) => container.exec(healthcheck.command).status === 0;

  await t.test('it holds what runs, and nothing that builds', () => {
    const modules = fs.readdirSync(path.join(root, 'usr/lib/auditail/node_modules'));
    assert.ok(modules.includes('better-sqlite3'));
    for (const name of ['typescript', '@biomejs', 'fast-check', '@types', `node-linux-${process.arch}`]) {
      assert.ok(!modules.includes(name), name);
    }
    for (const name of ['usr/local/bin/node', 'usr/local/bin/npm', 'src', 'image', 'root/.npm', '.build-inputs']) {
      assert.ok(!fs.existsSync(path.join(root, name)), name);
    }
    assert.deepEqual(fs.readdirSync(path.join(root, 'var/lib/apt/lists')), []);
    assert.ok(fs.existsSync(path.join(root, 'usr/share/doc/auditail/LICENSE.node')));
    const { stdout } = spawnSync('du', ['-sm', root], { encoding: 'utf8' });
    t.diagnostic(`the image has ${stdout.split('\t')[0]} MiB`);
  });

  await t.test('its files belong to root, and nobody else writes to them', () => {
    for (const place of ['usr/lib/auditail', 'usr/bin/auditail', 'etc/auditail', 'usr/share/auditail']) {
      const found = [
        '-not',
        '-type',
        'l',
        '(',
        '-not',
        '-user',
        '0',
        '-o',
        '-not',
        '-group',
        '0',
        '-o',
        '-perm',
        '/022',
        ')',
      ];
      const { status, stdout } = spawnSync('find', [path.join(root, place), ...found], { encoding: 'utf8' });
      assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
    }
    for (const [place, mode] of [
      ['', 0o755],
      ['usr', 0o755],
      ['etc', 0o755],
      ['var', 0o755],
      ['var/lib/auditail', 0o750],
    ] as const) {
      assert.equal(fs.statSync(path.join(root, place)).mode & 0o7777, mode, place);
    }
  });

  await t.test('it archives a log that only another user can read, and goes on there after a stop', async () => {
    using host = new Host(APISERVER);
    host.write(event(1), event(2, 'default'));
    {
      await using container = run(host);
      await container.until('two events are archived', () => host.archived() === event(1) && isHealthy(container));
      assert.equal(host.archived('default'), event(2, 'default'));
      const { status, stderr } = container.exec([
        'sh',
        '-c',
        'touch /anywhere /usr/lib/auditail/x /var/log/kubernetes/audit/x',
      ]);
      assert.equal(status, 1);
      assert.equal(stderr.match(/Read-only file system/g)?.length, 3, stderr);
      const asked = performance.now();
      assert.equal(await container.stop(stopSignal as NodeJS.Signals), 0, container.output);
      assert.ok(performance.now() - asked < parseDuration(DEFAULTS.shutdownTimeout)!, 'it takes too long to stop');
    }
    host.write(event(3));
    host.rotate();
    host.write(event(4));
    await using container = run(host);
    const all = event(1) + event(3) + event(4);
    await container.until('four events are archived', () => host.archived() === all && isHealthy(container));
    const { status, stdout } = container.exec(healthcheck.command);
    assert.equal(status, 0);
    assert.match(stdout, /pid 1: running, ready/);
    assert.equal(await container.stop('SIGINT'), 0, container.output);
    assert.equal(host.archived(), all);
    assert.equal(host.archived('default'), event(2, 'default'));
  });

  await t.test('what is killed is neither lost nor repeated', async () => {
    using host = new Host(APISERVER);
    host.write(event(1));
    {
      await using container = run(host);
      await container.until('an event is archived', () => host.archived() === event(1));
      host.write(event(2));
      assert.notEqual(await container.stop('SIGKILL'), 0);
    }
    await using container = run(host);
    await container.until('both are archived', () => host.archived() === event(1) + event(2));
  });

  await t.test('without the capability that log cannot be read: it says so, and is not healthy', async () => {
    using host = new Host(APISERVER);
    host.write(event(1));
    await using container = run(host, []);
    await container.until('it says why', () => /CAP_DAC_READ_SEARCH/.test(container.output));
    await container.until('the check answers', () => /not ready/.test(container.exec(healthcheck.command).stdout));
    assert.equal(container.exec(healthcheck.command).status, 1);
    assert.equal(host.archived(), '');
    assert.equal(await container.stop('SIGTERM'), 0, container.output);
  });

  await t.test('a log of root is read without any capability', async () => {
    using host = new Host(0);
    host.write(event(1));
    await using container = run(host, []);
    await container.until('it is archived', () => host.archived() === event(1) && isHealthy(container));
  });

  await t.test('without volumes it does not start, and says what it could not write', async () => {
    await using container = new Container({ root, mounts: [], capabilities: [], command: [...entrypoint, ...cmd] });
    assert.equal(await container.ended(), 1);
    assert.match(container.output, /\/var\/lib\/auditail/);
  });
});
