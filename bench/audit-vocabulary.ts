/** Thirty namespaces, the busiest first; beyond them `workload-NN` is used. */
const NAMESPACES = [
  'kube-system',
  'default',
  'monitoring',
  'ingress-nginx',
  'payments',
  'argocd',
  'cert-manager',
  'kube-node-lease',
  'logging',
  'checkout',
  'catalog',
  'identity',
  'search',
  'recommendations',
  'gitlab-runner',
  'postgres-operator',
  'kafka',
  'redis',
  'istio-system',
  'external-secrets',
  'velero',
  'staging-payments',
  'staging-checkout',
  'staging-catalog',
  'data-pipelines',
  'ml-training',
  'kube-public',
  'sandbox-01',
  'sandbox-02',
  'team-ops',
] as const;

/** The names of the first `n` namespaces. */
export function namespaceNames(n: number): string[] {
  return Array.from({ length: n }, (_, i) => NAMESPACES[i] ?? `workload-${String(i).padStart(2, '0')}`);
}

export interface ResourceKind {
  readonly kind: string;
  readonly resource: string;
  readonly group: string;
  readonly version: string;
}

function kinds(rows: string): ResourceKind[] {
  return rows
    .trim()
    .split('\n')
    .map((row) => {
      const [kind = '', resource = '', group = '', version = ''] = row.trim().split(/\s+/);
      return { kind, resource, group: group === '-' ? '' : group, version };
    });
}

export const NAMESPACED_KINDS: readonly ResourceKind[] = kinds(`
  Lease                 leases                 coordination.k8s.io v1
  Pod                   pods                   -                   v1
  Event                 events                 -                   v1
  ConfigMap             configmaps             -                   v1
  Secret                secrets                -                   v1
  EndpointSlice         endpointslices         discovery.k8s.io    v1
  Deployment            deployments            apps                v1
  ReplicaSet            replicasets            apps                v1
  StatefulSet           statefulsets           apps                v1
  Job                   jobs                   batch               v1
  Ingress               ingresses              networking.k8s.io   v1
  PersistentVolumeClaim persistentvolumeclaims -                   v1
  RoleBinding           rolebindings           rbac.authorization.k8s.io v1
`);

export const CLUSTER_KINDS: readonly ResourceKind[] = kinds(`
  Node                nodes                -                         v1
  PersistentVolume    persistentvolumes    -                         v1
  ClusterRole         clusterroles         rbac.authorization.k8s.io v1
  SubjectAccessReview subjectaccessreviews authorization.k8s.io      v1
  TokenReview         tokenreviews         authentication.k8s.io     v1
  StorageClass        storageclasses       storage.k8s.io            v1
`);

export const NON_RESOURCE_URIS = [
  '/healthz',
  '/livez?timeout=10s',
  '/readyz?verbose\\u0026exclude=etcd',
  '/metrics',
  '/openapi/v3?timeout=32s',
  '/version',
  '/apis?timeout=32s',
] as const;

/** Names of workloads; with a random ending they name pods, config maps and so on. */
export const WORKLOADS = [
  'coredns',
  'kube-proxy',
  'metrics-server',
  'prometheus-k8s',
  'alertmanager-main',
  'ingress-nginx-controller',
  'checkout-api',
  'payment-worker',
  'catalog-indexer',
  'session-store',
  'postgres-primary',
  'kafka-broker',
  'redis-cache',
  'batch-importer',
  'feature-flags',
] as const;

export interface Client {
  /** The `user` object, as JSON text. */
  readonly user: string;
  /** The `userAgent` string, as JSON text. */
  readonly agent: string;
}

function client(username: string, agent: string, groups: readonly string[], extra?: object): Client {
  const user = extra === undefined ? { username, groups } : { username, groups, extra };
  return { user: JSON.stringify(user), agent: JSON.stringify(agent) };
}

const GO_CLIENT = '(linux/amd64) kubernetes/632abcd';

/** Controllers, kubelets and people with clusterwide business. */
export const CLIENTS: readonly Client[] = [
  client('system:kube-controller-manager', `kube-controller-manager/v1.33.1 ${GO_CLIENT}/leader-election`, [
    'system:authenticated',
  ]),
  client('system:kube-scheduler', `kube-scheduler/v1.33.1 ${GO_CLIENT}/scheduler`, ['system:authenticated']),
  client('system:apiserver', `kube-apiserver/v1.33.1 ${GO_CLIENT}`, ['system:masters', 'system:authenticated']),
  ...Array.from({ length: 12 }, (_, i) =>
    client(`system:node:worker-${i + 1}`, `kubelet/v1.33.1 ${GO_CLIENT}`, ['system:nodes', 'system:authenticated'], {
      'authentication.kubernetes.io/credential-id': [`X509SHA256=${String(i).repeat(8).padEnd(64, 'a7c3')}`],
    }),
  ),
  client('oidc:ops-03@example.com', 'kubectl/v1.33.4 (linux/amd64) kubernetes/74cdb42', [
    'oidc:platform',
    'oidc:betrieb-köln',
    'system:authenticated',
  ]),
  client('oidc:ops-11@example.com', 'kubectl/v1.32.0 (darwin/arm64) kubernetes/70d3cc9', [
    'oidc:運用チーム',
    'system:authenticated',
  ]),
  client('kubernetes-admin', 'Mozilla/5.0 (X11; Linux x86_64) "Dashboard" Lens\\2026.1', [
    'kubeadm:cluster-admins',
    'system:authenticated',
  ]),
];
