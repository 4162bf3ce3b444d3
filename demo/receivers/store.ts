import type { IncomingHttpHeaders } from 'node:http';
import type { Tally } from './tally.ts';

export interface ReceivedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Uncompressed. */
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What becomes of one item of a request, though nothing is wrong with it: the status that it is refused with. */
export type ItemFault = 400 | 429 | 503;

/** What stands behind a receiver: judges requests, and keeps events. */
export interface Store {
  /**
   * What tells a client that an event is stored: the item of its own in the answer's body, or, where this is false, any
   * answer with a status of 2xx.
   */
  readonly confirmsItems: boolean;
  /** The events that were stored, as the bytes that they had in the log. */
  readonly stored: Tally;
  /**
   * Stores what it can of a request, and answers.
   *
   * @param faultOf asked for each item by its position, where the store {@link confirmsItems}.
   */
  take(request: ReceivedRequest, faultOf?: (position: number) => ItemFault | undefined): Answer;
}

export interface StoreOptions {
  /** Events that the store refuses as its own rules would have it: alone, or with the request where they stand in. */
  readonly poison?: (line: Buffer) => boolean;
  /** Keeps the lines, not only their hashes. */
  readonly keepLines?: boolean;
}

/** A request that is not what the store's protocol wants: nothing of it is stored. The message is the reason. */
export class Refusal extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** @throws Refusal for a method other than POST, another path, or another type. */
export function expectPost(request: ReceivedRequest, path: string | undefined, contentType: string): void {
  if (request.method !== 'POST') throw new Refusal(`method ${request.method} is not allowed`, 405);
  if (path !== undefined && pathname(request) !== path) throw new Refusal(`there is nothing at ${request.path}`, 404);
  const type = mediaType(request);
  if (type !== contentType) throw new Refusal(`content type ${type} is not supported`, 415);
}

/** Without the query. */
export function pathname(request: ReceivedRequest): string {
  return request.path.split('?', 1)[0]!;
}

/** In lower case, without parameters; empty where there is none. */
export function mediaType(request: ReceivedRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}
