import { elementsOf, isObject, parseJson } from '../json-parts.ts';
import { expectPost, Refusal } from '../store.ts';
import type { Protocol } from '../whole-request-store.ts';

/** An array of objects, at any path. */
export const JSON_ARRAY: Protocol = {
  *decode(request) {
    expectPost(request, undefined, 'application/json');
    const value = parseJson(request.body);
    if (!Array.isArray(value) || !value.every(isObject)) throw new Refusal('the body is not an array of objects');
    yield* elementsOf(request.body);
  },
  success: { status: 200, contentType: 'application/json', body: '{}' },
  refusal: (reason) => ({ error: reason }),
};
