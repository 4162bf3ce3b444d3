/** TLS between the agent and a receiver: whom it trusts, how it shows itself, and files that are exchanged under it. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { type KeyPair, TestCa } from '../helpers/test-ca.ts';
import { assertReceivedOnce, command, ended, httpSink, received, told, withSinks } from './http-scene.ts';
import { Scene } from './scene.ts';

/** As a mounted secret is exchanged: files in a directory of their own, and a link that is moved over the old one. */
class MountedSecret {
  readonly path: string;
  readonly #root: string;
  #version = 0;

  constructor(root: string, files: Readonly<Record<string, string>>) {
    this.#root = root;
    this.path = join(root, 'tls');
    this.exchange(files);
  }

  exchange(files: Readonly<Record<string, string>>): void {
    this.#version += 1;
    const directory = join(this.#root, `tls-${this.#version}`);
    mkdirSync(directory);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text, { mode: 0o600 });
    symlinkSync(directory, `${this.path}.new`);
    renameSync(`${this.path}.new`, this.path);
    rmSync(join(this.#root, `tls-${this.#version - 1}`), { recursive: true, force: true });
  }
}

function files(ca: TestCa, { cert, key }: KeyPair): Record<string, string> {
  return { 'ca.pem': ca.cert, 'cert.pem': cert, 'key.pem': key };
}

function tlsOf(secret: MountedSecret): Readonly<Record<string, string>> {
  const file = (name: string) => join(secret.path, name);
  return { ca_file: file('ca.pem'), cert_file: file('cert.pem'), key_file: file('key.pem') };
}

test('a client certificate and an authority that are exchanged on disk are used without a restart', async () => {
  await using scene = new Scene();
  const [oldCa, newCa] = [new TestCa('old authority'), new TestCa('new authority')];
  const store = new WholeRequestStore(NDJSON);
  const tls = { ...oldCa.issue(), ca: oldCa.cert, requestCert: true, rejectUnauthorized: true };
  await using receiver = await ChaosReceiver.start({ store, tls });
  const secret = new MountedSecret(scene.root, files(oldCa, oldCa.issue({ names: ['agent'] })));
  const config = withSinks(scene.config(), httpSink('es', receiver.url, { tls: tlsOf(secret) }));
  const agent = scene.start({ config });
  scene.write(10);
  await received(agent, store.stored, 10);

  // The receiver's certificate is of another authority now, and that is the only one that it trusts.
  receiver.exchange({ ...newCa.issue(), ca: newCa.cert });
  scene.write(10);
  const isRefused = () => told(agent.log, 'sink_blocked', 'es').length > 0;
  await agent.waitFor('the new certificate to be refused', isRefused);
  const { reason } = told(agent.log, 'sink_blocked', 'es')[0]!;
  assert.match(String(reason), /issued by an authority that is not in tls\.ca_file: new authority/);
  await scene.archived(agent);
  assert.equal(store.stored.total, 10);

  secret.exchange(files(newCa, newCa.issue({ names: ['agent'] })));
  await received(agent, store.stored, 20);
  await ended(agent);
  assertReceivedOnce(scene.writer.expected, store.stored);
  assert.equal(agent.log.filter(({ message }) => message === 'auditail runs').length, 1);
});

test('files that do not fit together while they are exchanged leave the old ones in use', async () => {
  await using scene = new Scene();
  const ca = new TestCa();
  const store = new WholeRequestStore(NDJSON);
  const tls = { ...ca.issue(), ca: ca.cert, requestCert: true, rejectUnauthorized: true };
  await using receiver = await ChaosReceiver.start({ store, tls });
  const pair = ca.issue({ names: ['agent'] });
  const secret = new MountedSecret(scene.root, files(ca, pair));
  const agent = scene.start({
    config: withSinks(scene.config(), httpSink('es', receiver.url, { tls: tlsOf(secret) })),
  });
  scene.write(10);
  await received(agent, store.stored, 10);
  secret.exchange({ ...files(ca, pair), 'key.pem': ca.issue().key.slice(0, 200) });
  const isTold = async () => {
    scene.write(1);
    return told(agent.log, 'tls_files_kept', 'es').length > 0;
  };
  await agent.waitFor('a word about the files', isTold);
  scene.write(10);
  await received(agent, store.stored, scene.writer.expected.total);
  assert.deepEqual(told(agent.log, 'sink_blocked'), []);
  await ended(agent);
  assertReceivedOnce(scene.writer.expected, store.stored);
});

test('a wrong authority is a clear error of the agent and of check --probe, and costs nothing but time', async () => {
  await using scene = new Scene();
  const [ca, other] = [new TestCa('the right authority'), new TestCa('another authority')];
  const store = new WholeRequestStore(NDJSON);
  await using receiver = await ChaosReceiver.start({ store, tls: ca.issue() });
  const caFile = join(scene.root, 'ca.pem');
  writeFileSync(caFile, other.cert);
  const config = withSinks(
    scene.config({ shutdown_timeout: '1s' }),
    httpSink('es', receiver.url, { tls: { ca_file: caFile } }),
  );
  scene.write(50);
  const { code, log } = await scene.runToEnd({ config });
  assert.equal(code, 1);
  const clear = /its certificate was issued by an authority that is not in tls\.ca_file: the right authority/;
  assert.match(String(told(log, 'sink_blocked', 'es')[0]?.reason), clear);
  assert.match(String(log.at(-1)?.text), /not everything could be delivered to es/);
  const probed = await command(scene.root, config, ['check', '--probe'], { code: 1 });
  assert.match(probed.stdout + probed.stderr, clear);
  assert.equal(store.stored.total, 0);
  await scene.assertExact();

  // Mended, it takes what was kept.
  writeFileSync(caFile, ca.cert);
  const mended = await command(scene.root, config, ['check', '--probe']);
  assert.match(mended.stdout + mended.stderr, /reachable, trusted and authorised/);
  assert.equal((await scene.runToEnd({ config })).code, 0);
  assertReceivedOnce(scene.writer.expected, store.stored);
});
