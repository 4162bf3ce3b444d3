import os from 'node:os';
import type { HttpSinkConfig } from '../../config/types.ts';
import type { HttpOccurrences } from '../../telemetry/http-occurrences.ts';
import { createFormat } from './create-format.ts';
import type { Format } from './format.ts';
import { HttpTransport } from './http-transport.ts';

/** What speaks to the receiver of a sink. */
export interface Channel {
  readonly format: Format;
  /** Its owner closes it. */
  readonly transport: HttpTransport;
}

/** The wire format of a sink and the connections to its receiver. Nothing is opened before the first request. */
export function createChannel(
  sink: HttpSinkConfig,
  options: { readonly now: () => number; readonly occurrences?: HttpOccurrences },
): Channel {
  const format = createFormat(sink, { node: os.hostname(), now: options.now });
  const endpoint = format.endpoint(new URL(sink.url.reveal()));
  return { format, transport: new HttpTransport(sink, { ...options, endpoint, contentType: format.contentType }) };
}
