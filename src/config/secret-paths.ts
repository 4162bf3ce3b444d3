import type { IssuePath } from './config-error.ts';

/** Keys of HTTP sinks below which secrets stand. */
const SECRET_KEYS: ReadonlySet<string | number | undefined> = new Set(['url', 'proxy', 'auth', 'headers']);

/** Whether the value at `path` is or may be a secret, so that no message quotes it. */
export function mayBeSecret(path: IssuePath): boolean {
  return path[0] === 'sinks' && SECRET_KEYS.has(path[2]);
}
