import path from 'node:path';

/** Where a server listens, or a client finds it. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/**
 * Bytes of a unix socket's path. The kernel takes 107; the socket is made in a directory beside its place before it is
 * moved there, and that path is a little longer.
 */
const MAX_SOCKET_PATH_BYTES = 90;

/** The address that `host:port`, `[::1]:port` or `unix:/path` names; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) return parseSocketPath(text.slice('unix:'.length));
  const match = /^(?:\[([0-9A-Fa-f:.%a-z]+)\]|([A-Za-z0-9_.-]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { kind: 'tcp', host: (match[1] ?? match[2])!, port };
}

/** As it is written in a configuration. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const { host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseSocketPath(file: string): ListenAddress | undefined {
  if (!path.isAbsolute(file) || /[\x00-\x1f\x7f]/.test(file) || file.endsWith('/')) return undefined;
  if (Buffer.byteLength(file) > MAX_SOCKET_PATH_BYTES) return undefined;
  return { kind: 'unix', path: path.normalize(file) };
}
