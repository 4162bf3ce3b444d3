import { isObject, parseJson } from './json-parts.ts';
import { linesOf } from './lines.ts';

/** One document of a `_bulk` request. */
export interface BulkItem {
  readonly index: string;
  readonly id: string | undefined;
  readonly source: Buffer;
}

/** What makes Elasticsearch refuse a `_bulk` request as a whole. */
export class BulkError extends Error {
  readonly type: string;

  constructor(type: string, reason: string) {
    super(reason);
    this.type = type;
  }
}

/** What an action line of `create` may hold. */
const PARAMETERS = new Set(['_index', '_id', 'routing', 'pipeline', 'require_alias', 'require_data_stream']);

const MAX_ID_BYTES = 512;

/**
 * The items of a `_bulk` body, after Elasticsearch's BulkRequestParser: action line and source line, each with its
 * newline. Stricter in two points: another action than `create`, or an action without its source, is an error.
 *
 * @param defaultIndex the one in the request's path.
 * @throws BulkError
 */
export function* bulkItems(body: Buffer, defaultIndex: string | undefined): Generator<BulkItem> {
  if (body.length === 0) throw new BulkError('parse_exception', 'request body is required');
  if (body.at(-1) !== 0x0a) throw illegal('The bulk request must be terminated by a newline [\\n]');
  let number = 0;
  let action: Omit<BulkItem, 'source'> | undefined;
  for (const line of linesOf(body)) {
    number++;
    if (action === undefined) {
      action = parseAction(line, number, defaultIndex);
    } else {
      yield { ...action, source: line };
      action = undefined;
    }
  }
  if (action !== undefined) throw illegal(`Action/metadata line [${number}] has no source`);
}

function parseAction(line: Buffer, number: number, defaultIndex: string | undefined): Omit<BulkItem, 'source'> {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    throw new BulkError('x_content_parse_exception', `[${number}] ${(error as Error).message}`);
  }
  if (!isObject(value)) throw illegal(`Malformed action/metadata line [${number}], expected START_OBJECT`);
  const [name, ...others] = Object.keys(value);
  if (name !== 'create') throw illegal(`Malformed action/metadata line [${number}], expected field [create]`);
  if (others.length > 0) throw illegal(`Malformed action/metadata line [${number}], expected END_OBJECT`);
  const parameters = value.create;
  if (!isObject(parameters)) throw illegal(`Malformed action/metadata line [${number}], expected START_OBJECT`);
  for (const [key, parameter] of Object.entries(parameters)) {
    if (!PARAMETERS.has(key)) throw illegal(`Action/metadata line [${number}] contains an unknown parameter [${key}]`);
    if (typeof parameter === 'object') throw illegal(`Malformed action/metadata line [${number}], found an object`);
  }
  const index = parameters._index ?? defaultIndex;
  if (index === undefined) throw invalid('index is missing');
  const id = parameters._id === undefined ? undefined : String(parameters._id);
  if (id === '') throw illegal('if _id is specified it must not be empty');
  if (id !== undefined && Buffer.byteLength(id) > MAX_ID_BYTES) {
    throw invalid(`id is too long, must be no longer than ${MAX_ID_BYTES} bytes but was: ${Buffer.byteLength(id)}`);
  }
  return { index: String(index), id };
}

function illegal(reason: string): BulkError {
  return new BulkError('illegal_argument_exception', reason);
}

function invalid(reason: string): BulkError {
  return new BulkError('action_request_validation_exception', `Validation Failed: 1: ${reason};`);
}
