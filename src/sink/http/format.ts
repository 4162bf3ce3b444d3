import type { HttpEvent } from './http-event.ts';
import type { HttpResponse } from './transport.ts';
import type { Verdict } from './verdict.ts';

/** A wire format: events in, a request body out; an answer in, a verdict for each event out. */
export interface Format {
  /** Of the request, such as `application/x-ndjson`. */
  readonly contentType: string;
  /** Where requests go, for the sink's configured URL: formats with a fixed endpoint add its path where the URL has none. */
  endpoint(url: URL): URL;
  /** The uncompressed body for these events, at least one. */
  encode(events: readonly HttpEvent[]): Buffer;
  /** One verdict for each event of the request, in their order. */
  judge(response: HttpResponse, events: readonly HttpEvent[]): readonly Verdict[];
}
