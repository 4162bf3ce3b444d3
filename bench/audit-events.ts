import { objectBody } from './audit-bodies.ts';
import { AuditRequest, type Level, secondTime } from './audit-request.ts';
import {
  CLIENTS,
  CLUSTER_KINDS,
  NAMESPACED_KINDS,
  NON_RESOURCE_URIS,
  namespaceNames,
  type ResourceKind,
  WORKLOADS,
} from './audit-vocabulary.ts';
import { BoundedPareto, Random, WeightedChoice, zipfWeights } from './random.ts';

/** Share of events without `objectRef.namespace`: half of them name a cluster-scoped object, half no object at all. */
export const WITHOUT_NAMESPACE = 0.06;

/**
 * Measured over 10^6 events: the mean length of a line without its bodies, and the bytes of bodies per byte drawn (0.84 of
 * the lines may carry one, and a body comes out a little longer than drawn).
 */
const BARE_MEAN_BYTES = 1105;
const BODY_YIELD = 0.89;

const MIN_MEAN_BYTES = 1200;

/** Beyond this share of events with a body, bodies grow instead of becoming more frequent. */
const MAX_BODY_SHARE = 0.5;

/** Requests that are waiting for their second line: answered soon, or a watch that stays open for minutes. */
const SOON = 4;
const WATCHES = 200;

export interface AuditEventOptions {
  /** Lines to make. */
  readonly count: number;
  /** The same options give the same lines. Default 1. */
  readonly seed?: number;
  /** Number of namespaces, the k-th with a share of about 1/k (Zipf). Default 30. */
  readonly namespaces?: number;
  /** `stageTimestamp` of the first line, epoch milliseconds. Default 2026-01-15T09:00:00Z. */
  readonly startMs?: number;
  /** Time from the first line to the last, milliseconds. Default three hours. */
  readonly spanMs?: number;
  /** Mean length of a line, bytes; at least 1,200. Default 1,500. */
  readonly meanBytes?: number;
}

/**
 * Made-up but realistic audit.k8s.io/v1 events, deterministic, one JSON line each (no newline at the end).
 *
 * To be iterated once. Lines are unique and in the order of their `stageTimestamp`. Sizes follow Pareto's law, so that a
 * few lines in ten thousand exceed 100 KB. Some requests have two lines with one `auditID`, as in a real log:
 * RequestReceived or ResponseStarted, and ResponseComplete some lines later.
 */
export class AuditEvents implements Iterable<string> {
  readonly #random: Random;
  readonly #count: number;
  readonly #startUs: number;
  readonly #spanUs: number;
  readonly #namespaces: readonly string[];
  readonly #namespace: WeightedChoice;
  readonly #kind = new WeightedChoice(zipfWeights(NAMESPACED_KINDS.length, 0.8));
  readonly #latencyUs = new BoundedPareto(700, 5_000_000, 1.3);
  readonly #bodyShare: number;
  readonly #bodyBytes: BoundedPareto;
  readonly #soon: AuditRequest[] = [];
  readonly #watches: AuditRequest[] = [];

  constructor(options: AuditEventOptions) {
    const { count, seed = 1, namespaces = 30, startMs = Date.UTC(2026, 0, 15, 9), spanMs = 3 * 3_600_000 } = options;
    const meanBytes = options.meanBytes ?? 1500;
    if (meanBytes < MIN_MEAN_BYTES) {
      throw new RangeError(
        `meanBytes is ${meanBytes}, and such events are at least ${MIN_MEAN_BYTES} bytes on average`,
      );
    }
    this.#random = new Random(seed);
    this.#count = count;
    this.#startUs = startMs * 1000;
    this.#spanUs = spanMs * 1000;
    this.#namespaces = namespaceNames(namespaces);
    this.#namespace = new WeightedChoice(zipfWeights(namespaces, 1));
    const wanted = (meanBytes - BARE_MEAN_BYTES) / BODY_YIELD;
    const natural = new BoundedPareto(700, 400_000, 1.2);
    this.#bodyShare = Math.min(MAX_BODY_SHARE, wanted / natural.mean);
    const scale = wanted / this.#bodyShare / natural.mean;
    this.#bodyBytes = scale === 1 ? natural : new BoundedPareto(700 * scale, 400_000 * scale, 1.2);
  }

  *[Symbol.iterator](): Generator<string, void, void> {
    for (let i = 0; i < this.#count; i++) {
      const nowUs = this.#startUs + Math.floor((this.#spanUs * (i + this.#random.float())) / this.#count);
      yield this.#next(nowUs);
    }
  }

  #next(nowUs: number): string {
    const random = this.#random;
    if (this.#soon.length > random.below(SOON)) return this.#soon.shift()!.line('ResponseComplete', nowUs);
    if (this.#watches.length > WATCHES) return this.#watches.shift()!.line('ResponseComplete', nowUs);
    const request = this.#request(nowUs);
    const kind = random.float();
    if (request.verb === 'watch') {
      this.#watches.push(request);
      return request.line('ResponseStarted', nowUs);
    }
    if (kind < 0.08) {
      request.receivedUs = nowUs;
      this.#soon.push(request);
      return request.line('RequestReceived', nowUs);
    }
    return request.line(kind < 0.0802 ? 'Panic' : 'ResponseComplete', nowUs);
  }

  #request(nowUs: number): AuditRequest {
    const random = this.#random;
    const request = new AuditRequest(random, nowUs - Math.ceil(this.#latencyUs.next(random)));
    if (!random.chance(WITHOUT_NAMESPACE)) {
      const namespace = this.#namespaces[this.#namespace.next(random)]!;
      this.#client(request, namespace);
      this.#onObject(request, NAMESPACED_KINDS[this.#kind.next(random)]!, namespace);
    } else if (random.chance(0.5)) {
      this.#client(request, 'kube-system');
      this.#onObject(request, random.pick(CLUSTER_KINDS), '');
    } else {
      this.#client(request, 'monitoring');
      request.verb = 'get';
      request.uri = random.pick(NON_RESOURCE_URIS);
    }
    return request;
  }

  /** Half of all requests come from a service account of the namespace, as controllers' do. */
  #client(request: AuditRequest, namespace: string): void {
    const random = this.#random;
    if (random.chance(0.5)) {
      const workload = random.pick(WORKLOADS);
      request.user =
        `{"username":"system:serviceaccount:${namespace}:${workload}","uid":"${random.uuid()}","groups":` +
        `["system:serviceaccounts","system:serviceaccounts:${namespace}","system:authenticated"],"extra":` +
        `{"authentication.kubernetes.io/pod-name":["${workload}-${random.hex8()}"],` +
        `"authentication.kubernetes.io/pod-uid":["${random.uuid()}"]}}`;
      request.userAgent = `"${workload}/v2.${random.below(30)}.0 (linux/amd64) client-go/v0.33.1"`;
    } else {
      const client = random.pick(CLIENTS);
      request.user = client.user;
      request.userAgent = client.agent;
    }
    if (random.chance(0.01)) {
      request.impersonated = `{"username":"system:serviceaccount:${namespace}:deployer","groups":["system:authenticated"]}`;
    }
  }

  #onObject(request: AuditRequest, kind: ResourceKind, namespace: string): void {
    const random = this.#random;
    const bytes = random.chance(this.#bodyShare) ? this.#bodyBytes.next(random) : 0;
    const verb = bytes === 0 ? random.pick(BARE_VERBS) : bytes > 12_000 ? 'list' : random.pick(BODY_VERBS);
    const name = verb === 'list' || verb === 'watch' ? '' : `${random.pick(WORKLOADS)}-${random.hex8()}`;
    request.verb = verb;
    request.object(kind, namespace, name);
    if (bytes === 0) return;
    const of = { kind, namespace, name, created: secondTime(request.receivedUs) };
    if (verb === 'get' || verb === 'list') {
      request.level = 'RequestResponse';
      request.bodies = `,"responseObject":${objectBody(random, of, bytes)}`;
      return;
    }
    const level: Level = random.chance(0.3) ? 'Request' : 'RequestResponse';
    request.level = level;
    request.bodies =
      level === 'Request'
        ? `,"requestObject":${objectBody(random, of, bytes)}`
        : `,"requestObject":${objectBody(random, of, bytes * 0.3)},"responseObject":${objectBody(random, of, bytes * 0.7)}`;
  }
}

const BARE_VERBS = ['get', 'get', 'get', 'list', 'watch', 'update', 'update', 'patch', 'delete'] as const;
const BODY_VERBS = ['get', 'create', 'update', 'patch'] as const;
