import type { ResourceKind } from './audit-vocabulary.ts';
import type { Random } from './random.ts';

export type Level = 'Metadata' | 'Request' | 'RequestResponse';
export type Stage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';
type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

const FORBIDDEN =
  '{"metadata":{},"status":"Failure","message":"forbidden: User \\"guest\\" cannot act on this resource",' +
  '"reason":"Forbidden","code":403}';

/** One request to the apiserver, from which the lines of its stages are printed. Fields are JSON text. */
export class AuditRequest {
  verb: Verb = 'get';
  level: Level = 'Metadata';
  uri = '/';
  user = '{}';
  userAgent = '""';
  impersonated = '';
  /** `,"requestObject":…` and `,"responseObject":…`, or empty. */
  bodies = '';
  /** Epoch microseconds. */
  receivedUs: number;
  readonly #auditId: string;
  readonly #sourceIps: string;
  readonly #allowed: boolean;
  #objectRef = '';

  constructor(random: Random, receivedUs: number) {
    this.receivedUs = receivedUs;
    this.#auditId = random.uuid();
    const proxy = random.chance(0.2) ? `"203.0.113.${random.below(256)}",` : '';
    this.#sourceIps = `[${proxy}"10.${random.below(4)}.${random.below(256)}.${random.below(256)}"]`;
    this.#allowed = !random.chance(0.02);
  }

  /** Sets the object that the request is about: `uri` and `objectRef`. An empty `namespace` or `name` is left out. */
  object(kind: ResourceKind, namespace: string, name: string): void {
    const { group, version, resource } = kind;
    this.uri =
      (group === '' ? `/api/${version}` : `/apis/${group}/${version}`) +
      (namespace === '' ? '' : `/namespaces/${namespace}`) +
      `/${resource}` +
      (name === '' || this.verb === 'create' ? '' : `/${name}`) +
      QUERY[this.verb];
    this.#objectRef =
      `,"objectRef":{"resource":"${resource}"` +
      (namespace === '' ? '' : `,"namespace":"${namespace}"`) +
      (name === '' ? '' : `,"name":"${name}"`) +
      (group === '' ? '' : `,"apiGroup":"${group}"`) +
      `,"apiVersion":"${version}"}`;
  }

  /** The line of one stage, with the keys in the order in which the apiserver writes them. */
  line(stage: Stage, stageUs: number): string {
    const received = stage === 'RequestReceived';
    const impersonated = this.impersonated === '' ? '' : `,"impersonatedUser":${this.impersonated}`;
    const status = this.#allowed ? `{"metadata":{},"code":${this.verb === 'create' ? 201 : 200}}` : FORBIDDEN;
    return (
      `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"${this.level}","auditID":"${this.#auditId}",` +
      `"stage":"${stage}","requestURI":"${this.uri}","verb":"${this.verb}","user":${this.user}${impersonated},` +
      `"sourceIPs":${this.#sourceIps},"userAgent":${this.userAgent}${this.#objectRef}` +
      (received ? '' : `,"responseStatus":${status}`) +
      (stage === 'ResponseComplete' ? this.bodies : '') +
      `,"requestReceivedTimestamp":"${microTime(this.receivedUs)}","stageTimestamp":"${microTime(stageUs)}"` +
      (received ? '}' : this.#allowed ? ALLOWED : DENIED)
    );
  }
}

const QUERY: Record<Verb, string> = {
  get: '',
  list: '?limit=500\\u0026resourceVersion=0',
  watch: '?allowWatchBookmarks=true\\u0026resourceVersion=81200345\\u0026timeoutSeconds=424\\u0026watch=true',
  create: '?fieldManager=kubectl-client-side-apply\\u0026fieldValidation=Strict',
  update: '?timeout=5s',
  patch: '?fieldManager=argocd-controller\\u0026force=true',
  delete: '',
};

const ALLOWED =
  ',"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":' +
  '"RBAC: allowed by ClusterRoleBinding \\"system:controllers\\" of ClusterRole \\"system:controllers\\" to Group ' +
  '\\"system:authenticated\\""}}';
const DENIED = ',"annotations":{"authorization.k8s.io/decision":"forbid","authorization.k8s.io/reason":""}}';

/** Times come in order, two or three different seconds at a time: formatting each second once is most of the speed. */
const seconds = new Map<number, string>();

function secondText(second: number): string {
  let text = seconds.get(second);
  if (text === undefined) {
    if (seconds.size > 1000) seconds.clear();
    text = new Date(second * 1000).toISOString().slice(0, 19);
    seconds.set(second, text);
  }
  return text;
}

/** RFC 3339 in UTC with microseconds, as Kubernetes' MicroTime. */
export function microTime(us: number): string {
  const second = Math.floor(us / 1_000_000);
  return `${secondText(second)}.${String(us - second * 1_000_000).padStart(6, '0')}Z`;
}

/** RFC 3339 in UTC with whole seconds, as Kubernetes' Time. */
export function secondTime(us: number): string {
  return `${secondText(Math.floor(us / 1_000_000))}Z`;
}
