import type { ReceivedRequest } from '../../../demo/receivers/store.ts';

/** A POST, as it arrives at a store. */
export function post(path: string, contentType: string, body: Buffer | string): ReceivedRequest {
  return { method: 'POST', path, headers: { 'content-type': contentType }, body: Buffer.from(body) };
}
