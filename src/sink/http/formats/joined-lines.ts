import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import type { HttpEvent } from '../http-event.ts';
import { judgeStatus } from '../judge-status.ts';
import { sameVerdict } from '../same-verdict.ts';
import type { HttpResponse } from '../transport.ts';
import type { Verdict } from '../verdict.ts';

/**
 * Events as they were read, between fixed bytes. The body of the answer is not looked at, but it must not have
 * broken off: that may be the answer of a proxy whose receiver died.
 */
export class JoinedLines implements Format {
  readonly contentType: string;
  readonly #parts: FormatParts;
  readonly #before: Buffer;
  readonly #between: Buffer;
  readonly #after: Buffer;

  constructor(parts: FormatParts, wire: { contentType: string; before: string; between: string; after: string }) {
    this.#parts = parts;
    this.contentType = wire.contentType;
    this.#before = Buffer.from(wire.before);
    this.#between = Buffer.from(wire.between);
    this.#after = Buffer.from(wire.after);
  }

  endpoint(url: URL): URL {
    return url;
  }

  encode(events: readonly HttpEvent[]): Buffer {
    const body: Buffer[] = [];
    for (const event of events)
      body.push(body.length === 0 ? this.#before : this.#between, this.#parts.added.apply(event));
    return Buffer.concat([...body, this.#after]);
  }

  judge(response: HttpResponse, events: readonly HttpEvent[]): readonly Verdict[] {
    return sameVerdict(judgeStatus(response, this.#parts.context), events);
  }
}
