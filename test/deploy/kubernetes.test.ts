import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { readDockerfile } from './image/dockerfile.ts';
import { containerOf, type DaemonSet, DIRECTORY, manifest, ROOT } from './kubernetes-manifests.ts';

/** From the end of the agent, which `shutdown_timeout` sets a limit to, to the kubelet's SIGKILL. */
const SPARE_MS = 10_000;

const daemonSet = manifest<DaemonSet>('base/daemon-set.yaml');
const pod = daemonSet.spec.template.spec;
const container = containerOf(daemonSet);
const patch = containerOf(manifest<DaemonSet>('components/elasticsearch/daemon-set.yaml'));

const CONFIGURATIONS = [
  { file: 'base/auditail.yaml', mounts: container.volumeMounts },
  { file: 'components/elasticsearch/auditail.yaml', mounts: [...container.volumeMounts, ...patch.volumeMounts] },
];

test('every configuration that is deployed is one of these', () => {
  const found = fs.globSync('**/auditail.yaml', { cwd: DIRECTORY });
  assert.deepEqual(found.toSorted(), CONFIGURATIONS.map(({ file }) => file).toSorted());
});

for (const { file, mounts } of CONFIGURATIONS) {
  const text = fs.readFileSync(path.join(DIRECTORY, file), 'utf8');
  // What the DaemonSet sets, and nothing else.
  const env = Object.fromEntries(container.env.map(({ name }) => [name, 'cp-1']));
  const config = parseConfig(text, { file, env, cores: 4 });
  const mountOf = (place: string) => {
    const mount = mounts.find(({ mountPath }) => place === mountPath || place.startsWith(`${mountPath}/`));
    assert.ok(mount !== undefined, `${place} is not in a volume: it would be lost, or could not be written`);
    return mount;
  };

  test(`${file}: it reads and writes in volumes of the DaemonSet`, () => {
    for (const source of config.sources)
      assert.deepEqual([source.path, mountOf(source.path).readOnly], [source.path, true]);
    assert.equal(mountOf(config.stateDir).readOnly, undefined);
    for (const sink of config.sinks) {
      if (sink.type === 'file') assert.equal(mountOf(sink.path).readOnly, undefined);
    }
    const files = text.matchAll(/_file: ([^\s,}]+)/g);
    for (const [, secret] of files) assert.equal(mountOf(secret!).readOnly, true);
  });

  test(`${file}: it listens where probes and Prometheus ask`, () => {
    const [port] = container.ports;
    assert.deepEqual(config.admin.listen, { kind: 'tcp', host: '0.0.0.0', port: port!.containerPort });
  });

  test(`${file}: it has ended before the kubelet kills it`, () => {
    assert.ok(pod.terminationGracePeriodSeconds * 1000 >= config.shutdownTimeoutMs + SPARE_MS);
  });

  test(`${file}: an HTTP sink has the name of the node, and not that of the pod`, () => {
    for (const sink of config.sinks) if (sink.type === 'http') assert.equal(sink.node, 'cp-1');
  });
}

test('state and archive outlive the pod, and the log is there before it', () => {
  const found = Object.fromEntries(
    pod.volumes.flatMap(({ name, hostPath }) => (hostPath ? [[name, hostPath.type]] : [])),
  );
  assert.deepEqual(found, { log: 'Directory', state: 'DirectoryOrCreate', archive: 'DirectoryOrCreate' });
});

test('it has one right more than a process without any', () => {
  assert.deepEqual(container.securityContext, {
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'], add: ['DAC_READ_SEARCH'] },
  });
});

test('the image is that of this version, and finds its configuration where the DaemonSet puts it', () => {
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const file of ['base/kustomization.yaml', 'example/kustomization.yaml']) {
    const { images } = manifest<{ images: { name: string; newTag: string }[] }>(file);
    assert.deepEqual(
      images.map(({ name, newTag }) => [name, newTag]),
      [['auditail', version]],
    );
  }
  const { cmd } = readDockerfile(fs.readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8')).config;
  const configuration = container.volumeMounts.find(({ name }) => name === 'configuration');
  assert.equal(`${configuration?.mountPath}/auditail.yaml`, cmd.at(-1));
});
