import type { Socket } from 'node:net';
import { http } from '../../node-http.ts';
import { connectionError } from './connection-error.ts';
import { TransportError } from './transport.ts';

/** An HTTP proxy, as its URL says. Only `origin` may be shown. */
export interface HttpProxy {
  readonly origin: string;
  readonly url: URL;
  /** Value of `proxy-authorization`; undefined without user information in the URL. */
  readonly authorization: string | undefined;
}

/** @throws TransportError `untrusted`, which shows nothing of the text, when it is no URL of an HTTP proxy. */
export function parseProxy(text: string): HttpProxy {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TransportError('untrusted', 'proxy is not an http or https URL');
  }
  if (url.username === '' && url.password === '') return { origin: url.origin, url, authorization: undefined };
  let pair: string;
  try {
    pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    throw new TransportError('untrusted', 'the user information in the proxy URL is not percent-encoded');
  }
  return { origin: url.origin, url, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/**
 * Asks the proxy at the other end of `socket` for a tunnel. Resolves when bytes go through to the other end.
 *
 * @param authority host and port, as in `es.example:9200`.
 * @throws TransportError: `untrusted` where the proxy wants other credentials or forbids the host.
 */
export function openTunnel(socket: Socket, proxy: HttpProxy, authority: string): Promise<Socket> {
  const peer = `proxy ${proxy.origin}`;
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { host: authority };
    if (proxy.authorization !== undefined) headers['proxy-authorization'] = proxy.authorization;
    const request = http.request({ createConnection: () => socket, method: 'CONNECT', path: authority, headers });
    request.once('connect', ({ statusCode = 0 }, _socket, head) => {
      if (statusCode < 200 || statusCode > 299) {
        reject(proxyRefusal(peer, statusCode));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on('error', (error) => reject(connectionError(peer, error)));
    request.end();
  });
}

/** What a proxy's own answer means. */
export function proxyRefusal(peer: string, status: number): TransportError {
  if (status === 407) return new TransportError('untrusted', `${peer}: it wants other credentials (407)`);
  if (status === 401 || status === 403) return new TransportError('untrusted', `${peer}: it forbids this (${status})`);
  return new TransportError('unreachable', `${peer}: it cannot connect to the receiver (${status})`);
}
