import { createHash } from 'node:crypto';
import type { HttpSinkConfig } from '../../../config/types.ts';
import { IndexTemplate } from '../../../route/index-template.ts';
import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import type { HttpEvent } from '../http-event.ts';
import { judgeStatus } from '../judge-status.ts';
import { sameVerdict } from '../same-verdict.ts';
import type { HttpResponse } from '../transport.ts';
import type { Verdict } from '../verdict.ts';
import { judgeBulk } from './bulk-answer.ts';

/**
 * All that is looked at in an answer, so that it stays small: a whole one repeats the index and more for every event.
 * `error` and `status` are those of a request that was refused as a whole.
 */
const FILTER_PATH = [
  'errors',
  'error',
  'status',
  'items.*._id',
  'items.*.status',
  'items.*.error.type',
  'items.*.error.reason',
  'items.*.error.caused_by.reason',
].join(',');

const BULK = '/_bulk';

/** 128 of SHA-256's 256 bits: two of 2^32 events share an id with a chance of 2^-65. */
const ID_BYTES = 16;

const NEWLINE = Buffer.from('\n');

/**
 * Elasticsearch 7 to 9 and OpenSearch: the bulk API with `create` only, so that nothing is ever overwritten and data
 * streams take it (Elasticsearch guide, "Bulk API"). There is no `_type`, which 8 refuses.
 *
 * The id is made of the node, the source's name and the line as it was read: an event that is sent again is known by it,
 * and a client cannot choose it, as it can the `auditID`.
 */
export class Elasticsearch implements Format {
  readonly contentType = 'application/x-ndjson';
  readonly #parts: FormatParts;
  readonly #index: IndexTemplate | undefined;

  /** @throws AuditailError `TEMPLATE` */
  constructor(config: Pick<HttpSinkConfig, 'index'>, parts: FormatParts) {
    this.#parts = parts;
    this.#index = config.index === undefined ? undefined : new IndexTemplate(config.index, 'elasticsearch');
  }

  /** `_bulk` behind whatever path the URL has: that of a proxy, or the index where the sink has no `index`. */
  endpoint(url: URL): URL {
    const endpoint = new URL(url);
    const path = endpoint.pathname.replace(/\/+$/, '');
    endpoint.pathname = path.endsWith(BULK) ? path : path + BULK;
    if (!endpoint.searchParams.has('filter_path')) endpoint.searchParams.set('filter_path', FILTER_PATH);
    return endpoint;
  }

  encode(events: readonly HttpEvent[]): Buffer {
    const body: Buffer[] = [];
    for (const event of events) body.push(this.#action(event), this.#parts.added.apply(event), NEWLINE);
    return Buffer.concat(body);
  }

  judge(response: HttpResponse, events: readonly HttpEvent[]): readonly Verdict[] {
    const { context, origin } = this.#parts;
    const whole = judgeStatus(response, context);
    if (whole.kind !== 'delivered') return sameVerdict(whole, events);
    return judgeBulk(response, events, (event) => eventId(origin.node, event), context);
  }

  #action(event: HttpEvent): Buffer {
    const index =
      this.#index === undefined ? '' : `"_index":${JSON.stringify(this.#index.render(event.tag, event.time))},`;
    return Buffer.from(`{"create":{${index}"_id":"${eventId(this.#parts.origin.node, event)}"}}\n`);
  }
}

/** The document's id: base64url, 22 characters. The names are JSON and end with a newline, so that no two joins are equal. */
export function eventId(node: string, { source, line }: Pick<HttpEvent, 'source' | 'line'>): string {
  const hash = createHash('sha256')
    .update(`${JSON.stringify([node, source])}\n`)
    .update(line)
    .digest();
  return hash.toString('base64url', 0, ID_BYTES);
}
