import { elementsOf, isObject, memberOf, parseJson } from '../json-parts.ts';
import { expectPost, Refusal } from '../store.ts';
import type { Protocol } from '../whole-request-store.ts';

/** The `EventList` that the kube-apiserver's audit webhook posts (`audit.k8s.io/v1`), at any path. */
export const EVENT_LIST: Protocol = {
  *decode(request) {
    expectPost(request, undefined, 'application/json');
    const list = parseJson(request.body);
    if (!isObject(list) || list.kind !== 'EventList') throw new Refusal('the body is not an EventList');
    if (list.apiVersion !== 'audit.k8s.io/v1') throw new Refusal(`no version ${String(list.apiVersion)} is known`);
    if (!Array.isArray(list.items) || !list.items.every(isObject))
      throw new Refusal('items is not an array of objects');
    yield* elementsOf(memberOf(request.body, 'items')!);
  },
  success: { status: 200, contentType: 'text/plain', body: '' },
  refusal: (reason) => ({ error: reason }),
};
