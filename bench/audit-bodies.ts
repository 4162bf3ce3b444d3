import type { ResourceKind } from './audit-vocabulary.ts';
import { WORKLOADS } from './audit-vocabulary.ts';
import type { Random } from './random.ts';

const MANAGERS = ['kube-controller-manager', 'kubelet', 'kubectl-client-side-apply', 'argocd-controller'] as const;

/** Bodies above this size are LIST responses; below it they are one object with its managedFields. */
const LIST_FROM_BYTES = 12_000;

/** Free text as people put it into annotations: escapes, markup, other scripts, an emoji outside the BMP. */
const NOTES = [
  '"owner: \\"platform\\"\\nescalate\\tafter 15 min"',
  '"Größe geändert; siehe C:\\\\runbooks\\\\größe.md"',
  '"\\u003cb\\u003emaintenance\\u003c/b\\u003e \\u0026 restart 🚀"',
  '"負荷試験中、再起動しないこと"',
] as const;

export interface ObjectName {
  readonly kind: ResourceKind;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly name: string;
  /** RFC 3339, whole seconds. */
  readonly created: string;
}

/**
 * A request or response body as JSON text, about `bytes` long: one object whose `managedFields` fill the size, or a LIST
 * whose items do.
 */
export function objectBody(random: Random, of: ObjectName, bytes: number): string {
  return bytes < LIST_FROM_BYTES ? singleObject(random, of, bytes) : listObject(random, of, bytes);
}

function apiVersion(kind: ResourceKind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

function metadata(random: Random, of: ObjectName, name: string): string {
  const namespace = of.namespace === '' ? '' : `,"namespace":"${of.namespace}"`;
  return (
    `"metadata":{"name":"${name}"${namespace},"uid":"${random.uuid()}",` +
    `"resourceVersion":"${80_000_000 + random.below(19_000_000)}","creationTimestamp":"${of.created}",` +
    `"labels":{"app.kubernetes.io/name":"${random.pick(WORKLOADS)}","pod-template-hash":"${random.hex8()}"}`
  );
}

function managedFieldsEntry(random: Random, of: ObjectName): string {
  return (
    `{"manager":"${random.pick(MANAGERS)}","operation":"Update","apiVersion":"${apiVersion(of.kind)}",` +
    `"time":"${of.created}","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:annotations":{".":{},` +
    `"f:checksum/config-${random.hex8()}":{}},"f:labels":{".":{},"f:app.kubernetes.io/name":{}}},` +
    `"f:spec":{"f:containers":{"k:{\\"name\\":\\"${random.pick(WORKLOADS)}\\"}":{".":{},"f:image":{},` +
    `"f:resources":{".":{},"f:limits":{".":{},"f:memory":{}}}}}}},"subresource":"status"}`
  );
}

function singleObject(random: Random, of: ObjectName, bytes: number): string {
  let text = `{"kind":"${of.kind.kind}","apiVersion":"${apiVersion(of.kind)}",${metadata(random, of, of.name)}`;
  if (random.chance(0.3)) text += `,"annotations":{"example.com/note":${random.pick(NOTES)}}`;
  const tail = spec(random);
  let entries = '';
  // Whichever of one entry more and one less is nearer to the wanted size.
  for (let left = bytes - text.length - tail.length; left > 220; ) {
    const entry = managedFieldsEntry(random, of);
    entries += entries === '' ? entry : `,${entry}`;
    left -= entry.length;
  }
  if (entries !== '') text += `,"managedFields":[${entries}]`;
  return `${text}},${tail}}`;
}

function spec(random: Random): string {
  const ip = `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`;
  return (
    `"spec":{"nodeName":"worker-${1 + random.below(12)}","containers":[{"name":"main",` +
    `"image":"registry.example.com/${random.pick(WORKLOADS)}:1.${random.below(40)}.${random.below(10)}",` +
    `"resources":{"requests":{"cpu":"${10 * (1 + random.below(100))}m","memory":"${1 + random.below(512)}Mi"}}}]},` +
    `"status":{"phase":"Running","podIP":"${ip}","restartCount":${random.below(9)}}`
  );
}

function listObject(random: Random, of: ObjectName, bytes: number): string {
  const head =
    `{"kind":"${of.kind.kind}List","apiVersion":"${apiVersion(of.kind)}",` +
    `"metadata":{"resourceVersion":"${80_000_000 + random.below(19_000_000)}"},"items":[`;
  const items: string[] = [];
  for (let left = bytes - head.length; left > 300; ) {
    const name = `${random.pick(WORKLOADS)}-${random.hex8()}`;
    const item = `{${metadata(random, of, name)}},${spec(random)}}`;
    items.push(item);
    left -= item.length + 1;
  }
  return `${head}${items.join(',')}]}`;
}
