import { BulkError, type BulkItem, bulkItems } from './bulk-body.ts';
import { isObject, parseJson } from './json-parts.ts';
import {
  type Answer,
  type ItemFault,
  mediaType,
  pathname,
  type ReceivedRequest,
  type Store,
  type StoreOptions,
} from './store.ts';
import { Tally } from './tally.ts';

const TYPES = new Set(['application/json', 'application/x-ndjson']);
const BULK_PATH = /^\/(?:([^/]+)\/)?_bulk$/;

/** Elasticsearch's rules for the name of an index. */
const INDEX_NAME = /^(?![-_+])(?!\.{1,2}$)[^A-Z\\/*?"<>| ,#:\x00-\x1f]{1,255}$/;

interface ItemError {
  readonly status: number;
  readonly type: string;
  readonly reason: string;
}

const FAULTS: Readonly<Record<ItemFault, ItemError>> = {
  400: { status: 400, type: 'document_parsing_exception', reason: '[1:2] failed to parse: made up by the schedule' },
  429: { status: 429, type: 'es_rejected_execution_exception', reason: 'rejected execution of coordinating operation' },
  503: { status: 503, type: 'unavailable_shards_exception', reason: 'primary shard is not active' },
};

/**
 * An Elasticsearch that knows `_bulk` with `create` and nothing else: a document whose `_id` its index holds already is
 * answered with 409, one that cannot be parsed with 400, each alone.
 */
export class ElasticsearchStore implements Store {
  readonly confirmsItems = true;
  /** The sources of the documents. */
  readonly stored: Tally;
  /** Documents that were sent again, and answered with 409. */
  conflicts = 0;
  /** Index and the ids in it. */
  readonly #indexes = new Map<string, Set<string>>();
  readonly #options: StoreOptions;

  constructor(options: StoreOptions = {}) {
    this.#options = options;
    this.stored = new Tally(options);
  }

  /** Names of the indexes that have come to be. */
  get indexes(): readonly string[] {
    return [...this.#indexes.keys()];
  }

  /** The number of ids that stand in more than one index: events that were stored twice. */
  get idsInSeveralIndexes(): number {
    const seen = new Set<string>();
    const repeated = new Set<string>();
    for (const ids of this.#indexes.values()) {
      for (const id of ids) (seen.has(id) ? repeated : seen).add(id);
    }
    return repeated.size;
  }

  take(request: ReceivedRequest, faultOf?: (position: number) => ItemFault | undefined): Answer {
    if (request.method !== 'POST' && request.method !== 'PUT')
      return failure(405, 'method_not_allowed', request.method);
    const path = BULK_PATH.exec(pathname(request));
    if (path === null) return failure(404, 'resource_not_found_exception', `no handler found for ${request.path}`);
    const type = mediaType(request);
    if (!TYPES.has(type)) return failure(406, 'media_type_header_exception', `Content-Type [${type}] is not supported`);
    let items: BulkItem[];
    try {
      items = [...bulkItems(request.body, path[1])];
    } catch (error) {
      if (error instanceof BulkError) return failure(400, error.type, error.message);
      throw error;
    }
    const answers = items.map((item, position) => this.#create(item, faultOf?.(position)));
    const errors = answers.some(({ create }) => create.status >= 300);
    return json(200, { errors, took: 1, items: answers });
  }

  #create(item: BulkItem, fault: ItemFault | undefined): { create: { status: number } } {
    const id = item.id ?? `generated-${this.stored.total}`;
    const place = { _index: item.index, _id: id };
    const error = this.#errorOf(item, id, fault);
    if (error !== undefined) {
      const { status, type, reason } = error;
      return { create: { ...place, status, ...{ error: { type, reason } } } };
    }
    const ids = this.#indexes.get(item.index) ?? new Set<string>();
    this.#indexes.set(item.index, ids.add(id));
    this.stored.add(item.source);
    return { create: { ...place, ...{ _version: 1, result: 'created' }, status: 201 } };
  }

  #errorOf(item: BulkItem, id: string, fault: ItemFault | undefined): ItemError | undefined {
    if (fault !== undefined) return FAULTS[fault];
    if (!INDEX_NAME.test(item.index)) {
      return { status: 400, type: 'invalid_index_name_exception', reason: `Invalid index name [${item.index}]` };
    }
    if (this.#options.poison?.(item.source) === true) {
      return { status: 400, type: 'mapper_parsing_exception', reason: 'object mapping tried to parse as object' };
    }
    const unreadable = reasonAgainst(item.source);
    if (unreadable !== undefined) return { status: 400, type: 'document_parsing_exception', reason: unreadable };
    if (this.#indexes.get(item.index)?.has(id) !== true) return undefined;
    this.conflicts++;
    const reason = `[${id}]: version conflict, document already exists (current version [1])`;
    return { status: 409, type: 'version_conflict_engine_exception', reason };
  }
}

/** Why a source is no document. */
function reasonAgainst(source: Buffer): string | undefined {
  try {
    return isObject(parseJson(source)) ? undefined : 'failed to parse: expected an object';
  } catch (error) {
    return `failed to parse: ${(error as Error).message}`;
  }
}

function failure(status: number, type: string, reason: string): Answer {
  return json(status, { error: { root_cause: [{ type, reason }], type, reason }, status });
}

function json(status: number, value: unknown): Answer {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}
