import fc from 'fast-check';
import type { HttpEvent } from '../../../src/sink/http/http-event.ts';
import { document } from '../../event/documents.ts';
import { parseObject } from '../../event/reference.ts';

/** 2026-01-15T09:00:00.123Z. */
export const TIME = Date.UTC(2026, 0, 15, 9, 0, 0, 123);

/** An event of the default namespace, but for what is given. */
export function httpEvent(line: string | Buffer, fields: Partial<HttpEvent> = {}): HttpEvent {
  return {
    tag: 'audit.default',
    time: TIME,
    line: Buffer.from(line as string),
    source: 'apiserver',
    path: '/var/log/kubernetes/audit/audit.log',
    offset: 4096,
    ...fields,
  };
}

/** An object that holds a string of bytes from 0x80 on, hardly ever valid UTF-8. */
const binary = fc
  .uint8Array({ min: 0x80, max: 0xff, maxLength: 12 })
  .map((bytes) => Buffer.concat([Buffer.from('{"a":"'), bytes, Buffer.from('"}')]));

/** Lines that are events, with whatever JSON allows in one: escapes, duplicate keys, long numbers, CR, invalid UTF-8. */
export const eventLine = fc
  .oneof({ weight: 4, arbitrary: document }, { weight: 1, arbitrary: binary })
  .map((line) => Buffer.from(line.map((byte) => (byte === 0x0a ? 0x20 : byte))))
  .filter((line) => parseObject(line, 0, line.length) !== undefined);
