import type { Secret } from '../../config/types.ts';

/** What may be shown of a URL: scheme, host and port. The rest of it may hold secrets. */
export function originOf(url: Secret): string {
  return new URL(url.reveal()).origin;
}
