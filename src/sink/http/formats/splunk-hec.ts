import type { HttpSinkConfig } from '../../../config/types.ts';
import { IndexTemplate } from '../../../route/index-template.ts';
import { fixedEndpoint } from '../fixed-endpoint.ts';
import type { Format } from '../format.ts';
import type { FormatParts } from '../format-parts.ts';
import type { HttpEvent } from '../http-event.ts';
import type { HttpResponse } from '../transport.ts';
import type { Verdict } from '../verdict.ts';
import { judgeHec } from './hec-answer.ts';

/**
 * Splunk's HTTP Event Collector (Splunk Enterprise, "Format events for HTTP Event Collector"): JSON objects one after
 * another, each with the event as it was read and its metadata around it. `time` is in seconds with milliseconds.
 */
export class SplunkHec implements Format {
  readonly contentType = 'application/json';
  readonly #parts: FormatParts;
  readonly #sourcetype: string;
  readonly #index: IndexTemplate | undefined;

  /** @throws AuditailError `TEMPLATE` */
  constructor(config: Pick<HttpSinkConfig, 'index' | 'sourcetype'>, parts: FormatParts) {
    this.#parts = parts;
    this.#sourcetype = config.sourcetype;
    this.#index = config.index === undefined ? undefined : new IndexTemplate(config.index, 'splunk');
  }

  endpoint(url: URL): URL {
    return fixedEndpoint(url, '/services/collector/event');
  }

  encode(events: readonly HttpEvent[]): Buffer {
    const end = Buffer.from('}\n');
    const body: Buffer[] = [];
    for (const event of events) body.push(this.#envelope(event), this.#parts.added.apply(event), end);
    return Buffer.concat(body);
  }

  judge(response: HttpResponse, events: readonly HttpEvent[]): readonly Verdict[] {
    return judgeHec(response, events, { ...this.#parts.context, hasOneIndex: !(this.#index?.hasTag ?? false) });
  }

  #envelope({ tag, time, path }: HttpEvent): Buffer {
    const metadata = {
      host: this.#parts.origin.node,
      source: path,
      sourcetype: this.#sourcetype,
      ...(this.#index === undefined ? {} : { index: this.#index.render(tag, time) }),
    };
    return Buffer.from(`{"time":${(time / 1000).toFixed(3)},${JSON.stringify(metadata).slice(1, -1)},"event":`);
  }
}
