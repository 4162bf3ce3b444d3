import net from 'node:net';
import tls from 'node:tls';
import type { buildConnector } from 'undici';
import { connectionError, handshakeError } from './connection-error.ts';
import { type HttpProxy, openTunnel } from './http-proxy.ts';
import type { TlsMaterial } from './tls-files.ts';
import { TransportError } from './transport.ts';

/** After this the host is taken to be away, even where `timeout` is longer. */
const MAX_CONNECT_MS = 10_000;

/** How TCP finds out that an idle connection is dead. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** The way to a receiver. */
export interface Way {
  readonly endpoint: URL;
  readonly proxy: HttpProxy | undefined;
  /** Needed where the endpoint or the proxy is https. */
  readonly material: TlsMaterial | undefined;
  /** `tls.server_name`. */
  readonly serverName: string | undefined;
  readonly hasCaFile: boolean;
  readonly timeoutMs: number;
}

/**
 * Makes the connections of an undici pool: directly or through a proxy, plain or with TLS. Each fails with a
 * TransportError.
 *
 * There is no session cache: a resumed session would skip the look at an exchanged CA.
 */
export function createConnector(way: Way): buildConnector.connector {
  const { material } = way;
  const contexts =
    material === undefined ? undefined : { receiver: contextOf(material, true), proxy: contextOf(material, false) };
  return (_options, callback) => {
    const attempt = new Attempt(way, contexts);
    attempt.open().then(
      (socket) => callback(null, socket),
      (error) => callback(error, null),
    );
  };
}

interface Contexts {
  readonly receiver: tls.SecureContext;
  /** The client certificate is the receiver's affair only. */
  readonly proxy: tls.SecureContext;
}

function contextOf({ ca, cert, key, minVersion }: TlsMaterial, hasIdentity: boolean): tls.SecureContext {
  const identity = hasIdentity && cert !== undefined && key !== undefined ? { cert, key } : {};
  return tls.createSecureContext({ ca: [...ca], minVersion, ...identity });
}

/** One connection on its way up. */
class Attempt {
  readonly #way: Way;
  readonly #contexts: Contexts | undefined;
  /** The outermost layer so far. */
  #socket: net.Socket | undefined;

  constructor(way: Way, contexts: Contexts | undefined) {
    this.#way = way;
    this.#contexts = contexts;
  }

  async open(): Promise<net.Socket> {
    const { endpoint, proxy, timeoutMs } = this.#way;
    const limitMs = Math.min(timeoutMs, MAX_CONNECT_MS);
    const peer = proxy === undefined ? endpoint.origin : `${endpoint.origin} through proxy ${proxy.origin}`;
    const timer = setTimeout(() => {
      this.#socket?.destroy(new TransportError('unreachable', `${peer}: no connection within ${limitMs} ms`));
    }, limitMs);
    try {
      return await (proxy === undefined ? this.#openDirectly() : this.#openThrough(proxy));
    } catch (error) {
      this.#socket?.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #openDirectly(): Promise<net.Socket> {
    const { endpoint } = this.#way;
    const socket = await this.#connect(endpoint, endpoint.origin);
    return endpoint.protocol === 'https:' ? this.#secureReceiver(socket) : socket;
  }

  async #openThrough(proxy: HttpProxy): Promise<net.Socket> {
    const { endpoint } = this.#way;
    const peer = `proxy ${proxy.origin}`;
    let socket = await this.#connect(proxy.url, peer);
    if (proxy.url.protocol === 'https:') {
      socket = await this.#secure(socket, peer, hostOf(proxy.url), this.#contexts?.proxy, false);
    }
    // Plain requests are given to the proxy as they are; see HttpTransport.
    if (endpoint.protocol !== 'https:') return socket;
    const tunnel = await openTunnel(socket, proxy, `${endpoint.hostname}:${endpoint.port || '443'}`);
    return this.#secureReceiver(tunnel);
  }

  #secureReceiver(socket: net.Socket): Promise<net.Socket> {
    const { endpoint, serverName, material } = this.#way;
    const name = serverName ?? hostOf(endpoint);
    return this.#secure(socket, endpoint.origin, name, this.#contexts?.receiver, material?.cert !== undefined);
  }

  #connect(url: URL, peer: string): Promise<net.Socket> {
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const socket = net.connect({
      host: hostOf(url),
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    });
    return this.#established(socket, 'connect', (error) => connectionError(peer, error));
  }

  #secure(
    under: net.Socket,
    peer: string,
    name: string,
    secureContext: tls.SecureContext | undefined,
    hasClientCertificate: boolean,
  ): Promise<net.Socket> {
    if (secureContext === undefined) throw new TypeError('a way with TLS needs its material');
    const socket = tls.connect({
      socket: under,
      secureContext,
      host: name,
      // An address is checked against the certificate, but must not be sent as a name (RFC 6066, section 3).
      ...(net.isIP(name) === 0 ? { servername: name } : {}),
      ALPNProtocols: ['http/1.1'],
    });
    let certificate: tls.PeerCertificate | undefined;
    // Before node judges the certificate, because afterwards it cannot be asked for any more.
    socket.prependListener('secure', () => {
      certificate = socket.getPeerCertificate();
    });
    const { hasCaFile, material } = this.#way;
    const minVersion = material?.minVersion.replace('TLSv', '') ?? '';
    return this.#established(socket, 'secureConnect', (error) =>
      handshakeError(peer, error, { name, minVersion, hasCaFile, hasClientCertificate, certificate }),
    );
  }

  #established(socket: net.Socket, event: string, translate: (error: Error) => TransportError): Promise<net.Socket> {
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.once(event, () => resolve(socket));
      // It stays: between two layers nobody else listens, and an error without a listener ends the process.
      socket.on('error', (error) => {
        reject(translate(error));
        // An alert may come after the handshake, and node leaves the socket open then: undici would take the end that
        // follows for the reason.
        socket.destroy(error);
      });
      socket.once('close', () => reject(translate(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))));
    });
  }
}

/** The host without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
