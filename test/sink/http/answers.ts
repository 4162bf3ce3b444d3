import type { JudgeContext } from '../../../src/sink/http/judge-status.ts';
import type { HttpResponse } from '../../../src/sink/http/transport.ts';
import { TIME } from './http-events.ts';

export const CONTEXT: JudgeContext = { now: () => TIME, redact: (text) => text };

/** An answer that was read to its end; a body that is no text is sent as JSON. */
export function answer(status: number, body: unknown = '', fields: Partial<HttpResponse> = {}): HttpResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers: {}, body: Buffer.from(text), complete: true, isTooLong: false, ...fields };
}
