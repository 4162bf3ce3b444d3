/**
 * The speed of the event scanner beside JSON.parse of each line, on generated audit events, in one process:
 *
 *     node bench/scanner.ts
 *
 * Each figure is the best of a number of rounds that take turns, so that a busy moment of the machine hits all alike.
 */
import { EventScanner } from '../src/event/scanner.ts';
import { parseTimestamp } from '../src/event/timestamp.ts';

const EVENTS = 20_000;
const ROUNDS = 12;

/** A generator of numbers in [0, 1) from a fixed seed, so that every run has the same events. */
let state = 12345;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

function pick(...choices: string[]): string {
  return choices[Math.floor(random() * choices.length)]!;
}

function hex(length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
}

function uuid(): string {
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

/** An event in the apiserver's order of keys; half of them have a response object, as at level RequestResponse. */
function auditEvent(number: number): string {
  const namespace = pick('default', 'kube-system', 'team-a', 'payments-prod', 'monitoring', 'ingress-nginx');
  const resource = pick('pods', 'configmaps', 'leases', 'deployments', 'endpoints', 'secrets');
  const name = `${resource}-${hex(10)}`;
  const time = new Date(1_790_000_000_000 + number * 37).toISOString().replace('Z', '512Z');
  const lastApplied = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b', c: 'd\n' } });
  const fields = { 'f:metadata': { 'f:annotations': { '.': {}, 'f:x': {} } }, 'f:spec': { 'f:renewTime': {} } };
  const responseObject = {
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    metadata: {
      ...{ name, namespace, uid: uuid(), resourceVersion: '48291', creationTimestamp: time },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied },
      managedFields: [{ manager: 'kubelet', operation: 'Update', apiVersion: 'v1', time, fieldsV1: fields }],
    },
    spec: { holderIdentity: 'node-1', leaseDurationSeconds: 40, renewTime: time },
  };
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: uuid(),
    stage: 'ResponseComplete',
    requestURI: `/api/v1/namespaces/${namespace}/${resource}/${name}?timeout=10s&fieldManager=kubectl`,
    verb: pick('get', 'list', 'watch', 'update', 'patch', 'create'),
    user: {
      username: `system:serviceaccount:${namespace}:controller`,
      uid: uuid(),
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/pod-name': [`controller-${hex(9)}-${hex(5)}`] },
    },
    sourceIPs: [`10.0.${Math.floor(random() * 256)}.7`],
    userAgent: 'kube-controller-manager/v1.34.1 (linux/amd64) kubernetes/93248f9/system:serviceaccount',
    objectRef: { resource, namespace, name, uid: uuid(), apiVersion: 'v1', resourceVersion: hex(8) },
    responseStatus: { metadata: {}, code: 200 },
    ...(random() < 0.5 ? { responseObject } : {}),
    requestReceivedTimestamp: time,
    stageTimestamp: time,
    annotations: {
      'authorization.k8s.io/decision': 'allow',
      'authorization.k8s.io/reason': `RBAC: allowed by ClusterRoleBinding "system:controller:${resource}"`,
    },
  });
}

const chunk = Buffer.from(Array.from({ length: EVENTS }, (_, number) => `${auditEvent(number)}\n`).join(''));
const newlines: number[] = [];
for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) newlines.push(at);

function eachLine(use: (start: number, end: number) => boolean): void {
  let start = 0;
  for (const end of newlines) {
    if (!use(start, end)) throw new Error(`the event at byte ${start} was not understood`);
    start = end + 1;
  }
}

const scanner = new EventScanner(['objectRef.namespace', 'stageTimestamp', 'requestReceivedTimestamp']);
const ways: Record<string, () => void> = {
  scan: () => eachLine((start, end) => scanner.scan(chunk, start, end)),
  'scan, namespace, time': () =>
    eachLine(
      (start, end) =>
        scanner.scan(chunk, start, end) &&
        scanner.text(0) !== undefined &&
        parseTimestamp(chunk, scanner.starts[1]!, scanner.ends[1]!) !== undefined,
    ),
  'JSON.parse': () =>
    eachLine((start, end) => {
      const event = JSON.parse(chunk.toString('utf8', start, end)) as { objectRef: { namespace: string } };
      return event.objectRef.namespace.length > 0;
    }),
};

const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, run] of Object.entries(ways)) {
    const start = performance.now();
    run();
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, performance.now() - start));
  }
}
console.log(`${EVENTS} events, ${Math.round(chunk.length / EVENTS)} bytes each, best of ${ROUNDS} rounds`);
for (const [name, ms] of best) {
  const speed = (chunk.length / ms / 1e6).toFixed(2);
  console.log(`${name.padEnd(24)} ${speed} GB/s  ${Math.round((ms * 1e6) / EVENTS)} ns an event`);
}
