import { isObject, parseJson } from '../json-parts.ts';
import { linesOf } from '../lines.ts';
import { expectPost, Refusal } from '../store.ts';
import type { Protocol } from '../whole-request-store.ts';

/** JSON objects, one a line, each with its newline, at any path. */
export const NDJSON: Protocol = {
  *decode(request) {
    expectPost(request, undefined, 'application/x-ndjson');
    if (request.body.at(-1) !== 0x0a) throw new Refusal('the last line has no newline');
    for (const line of linesOf(request.body)) {
      if (!isObject(parseJson(line))) throw new Refusal('a line is not an object');
      yield line;
    }
  },
  success: { status: 200, contentType: 'text/plain', body: 'stored\n' },
  refusal: (reason) => ({ error: reason }),
};
