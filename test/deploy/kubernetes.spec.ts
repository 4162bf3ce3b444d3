import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { loadAll } from 'js-yaml';
import { agentCommand } from '../helpers/agent-process.ts';
import { removeNow, removeWithParent } from '../helpers/children.ts';
import type { Built } from '../servers/build-program.ts';
import { containerOf, type DaemonSet, DIRECTORY } from './kubernetes-manifests.ts';
import { buildKubernetesProgram } from './kubernetes-programs.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface ConfigMap extends Manifest {
  readonly data: Readonly<Record<string, string>>;
}

let kustomize: Built;
let checker: Built;

before(async () => {
  kustomize = await buildKubernetesProgram('kustomize');
  checker = await buildKubernetesProgram('manifest-check');
});

/** The program; where its modules cannot be had the test is skipped with the reason, and undefined given. */
function program(t: TestContext, built: Built): string | undefined {
  if ('path' in built) return built.path;
  // What could be fetched and does not compile is a mistake in here, and not one of the machine.
  assert.notEqual(built.state, 'failed', built.reason);
  t.skip(`not built (${built.state}): ${built.reason}`);
  return undefined;
}

function render(kustomizePath: string, directory: string): string {
  const { status, stdout, stderr } = spawnSync(kustomizePath, ['build', directory], { encoding: 'utf8' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout;
}

function check(checkerPath: string, manifests: string): string {
  const { status, stdout, stderr } = spawnSync(checkerPath, { input: manifests, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status === 0, stdout === '', stdout);
  return stdout;
}

function find<T extends Manifest>(manifests: string, kind: string): T {
  const found = (loadAll(manifests) as Manifest[]).filter((one) => one.kind === kind);
  assert.equal(found.length, 1, kind);
  return found[0] as T;
}

/** A kustomization that takes the base and something more, in a directory that goes away with the test. */
function overlay(t: TestContext, fields: object): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-kustomize-'));
  removeWithParent(directory);
  t.after(() => removeNow(directory));
  const at = (name: string) => path.relative(fs.realpathSync(directory), path.join(DIRECTORY, name));
  const text = JSON.stringify({ resources: ['base'], ...fields }, (key, value) =>
    key === 'resources' || key === 'components' ? value.map(at) : value,
  );
  fs.writeFileSync(path.join(directory, 'kustomization.yaml'), text);
  return directory;
}

const COMPONENTS = fs.readdirSync(path.join(DIRECTORY, 'components'));

const TARGETS: Readonly<Record<string, (t: TestContext) => string>> = {
  base: () => path.join(DIRECTORY, 'base'),
  example: () => path.join(DIRECTORY, 'example'),
  ...Object.fromEntries(
    COMPONENTS.map((name) => [name, (t: TestContext) => overlay(t, { components: [`components/${name}`] })]),
  ),
  'all components': (t) => overlay(t, { components: COMPONENTS.map((name) => `components/${name}`) }),
};

for (const [name, directoryOf] of Object.entries(TARGETS)) {
  test(`${name}: kustomize builds it, the kube-apiserver would take it, and auditail its configuration`, (t) => {
    const kustomizePath = program(t, kustomize);
    const checkerPath = program(t, checker);
    if (kustomizePath === undefined || checkerPath === undefined) return;
    const manifests = render(kustomizePath, directoryOf(t));
    assert.equal(check(checkerPath, manifests), '');

    const { spec } = find<Manifest & DaemonSet>(manifests, 'DaemonSet').spec.template;
    const configMap = find<ConfigMap>(manifests, 'ConfigMap');
    assert.match(configMap.metadata.name, /^auditail-[a-z0-9]{10}$/);
    assert.deepEqual(
      spec.volumes.flatMap((volume) => volume.configMap?.name ?? []),
      [configMap.metadata.name],
    );
    for (const one of loadAll(manifests) as Manifest[]) {
      if (one.kind !== 'Namespace') assert.equal(one.metadata.namespace, 'auditail', one.kind);
    }

    const file = path.join(overlay(t, {}), 'auditail.yaml');
    fs.writeFileSync(file, configMap.data['auditail.yaml']!);
    const [node, ...args] = agentCommand();
    const env = { ...process.env, NODE_NAME: 'cp-1' };
    const checked = spawnSync(node!, [...args, 'check', '-c', file], { encoding: 'utf8', env });
    assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  });
}

test('the component for logs of root takes the capability away', (t) => {
  const kustomizePath = program(t, kustomize);
  if (kustomizePath === undefined) return;
  const manifests = render(kustomizePath, overlay(t, { components: ['components/root-log'] }));
  const { securityContext } = containerOf(find<Manifest & DaemonSet>(manifests, 'DaemonSet'));
  assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] });
});

test('another configuration has another name, which rolls the pods', (t) => {
  const kustomizePath = program(t, kustomize);
  if (kustomizePath === undefined) return;
  const nameOf = (directory: string) => find<ConfigMap>(render(kustomizePath, directory), 'ConfigMap').metadata.name;
  const literals = ['auditail.yaml={}'];
  const changed = overlay(t, {
    configMapGenerator: [{ name: 'auditail', namespace: 'auditail', behavior: 'merge', literals }],
  });
  assert.notEqual(nameOf(changed), nameOf(path.join(DIRECTORY, 'base')));
});

test('what is wrong in a manifest is found', (t) => {
  const kustomizePath = program(t, kustomize);
  const checkerPath = program(t, checker);
  if (kustomizePath === undefined || checkerPath === undefined) return;
  const manifests = render(kustomizePath, path.join(DIRECTORY, 'example'));
  for (const [right, wrong, problem] of [
    ['automountServiceAccountToken:', 'autoMountServiceAccountToken:', /^DaemonSet .*unknown field .*autoMount/],
    [
      'readOnlyRootFilesystem: true',
      'readOnlyRootFilesystem: "true"',
      /cannot unmarshal string .*readOnlyRootFilesystem of type bool/,
    ],
    ['containerPort: 9477', 'containerPort: 94770', /^DaemonSet .*containerPort: Invalid value: 94770/],
    [
      'mountPath: /var/lib/auditail\n          name: state',
      'mountPath: /s\n          name: stat',
      /^DaemonSet .*Not found: "stat"/,
    ],
    [
      'matchLabels:\n      app.kubernetes.io/name: auditail\n  template',
      'matchLabels:\n      app: a\n  template',
      /does not match/,
    ],
    ['podMetricsEndpoints:', 'podMetricEndpoints:', /^PodMonitor .*unknown field .*podMetricEndpoints/],
    ['type: DirectoryOrCreate', 'type: DirectoryOrMake', /^DaemonSet .*Unsupported value: "DirectoryOrMake"/],
  ] as const) {
    assert.ok(manifests.includes(right), right);
    assert.match(check(checkerPath, manifests.replace(right, wrong)), problem);
  }
  assert.match(check(checkerPath, ''), /no manifest was given/);
});
