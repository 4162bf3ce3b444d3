import os from 'node:os';
import type { HttpSinkConfig } from '../../config/types.ts';
import { createFormat } from '../../sink/http/create-format.ts';
import type { HttpEvent } from '../../sink/http/http-event.ts';
import { oversizeStub, wrapUnparsed } from '../../sink/http/stand-in.ts';
import type { SampleEvent } from './bodies.ts';

/** The body of the request in which the sink would send these events. */
export function encodeSample(sink: HttpSinkConfig, events: readonly SampleEvent[]): string {
  return createFormat(sink, { node: os.hostname() }).encode(events.map(toHttpEvent)).toString();
}

function toHttpEvent(sample: SampleEvent): HttpEvent {
  const { tag, time, source, path, offset, content, reason } = sample;
  const line =
    content === undefined ? oversizeStub(sample) : reason === undefined ? content : wrapUnparsed(content, reason);
  return { tag, time, source, path, offset, line };
}
