import type { AuthConfig, HttpSinkConfig, Secret } from '../../config/types.ts';
import { describeError } from '../../errors.ts';
import { TransportError } from './transport.ts';

/** What HTTP allows in a header's value (RFC 9110, section 5.5). */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A header's name (RFC 9110, section 5.6.2). */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What the connection decides. undici refuses most of them, and never gives the connection of such a request back. */
const RESERVED = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers of one request, by name in lower case. Secrets are revealed anew each time, so that a rotated file is
 * used. Authentication goes before `headers`, and both go before what the format says.
 *
 * @throws TransportError `untrusted` when a secret cannot be read, or a header cannot be sent: somebody has to mend that.
 */
export function requestHeaders(config: HttpSinkConfig, contentType: string): Record<string, string> {
  const headers: Record<string, string> = {
    'user-agent': 'auditail',
    // Answers are judged by their bytes: none of them may come compressed.
    'accept-encoding': 'identity',
    'content-type': contentType,
  };
  for (const [name, value] of Object.entries(config.headers)) set(headers, name, reveal(`headers.${name}`, value));
  if (config.auth !== undefined) set(headers, ...authorization(config.auth));
  return headers;
}

/** The text of a secret. @throws TransportError `untrusted` that names the option and never the text. */
export function reveal(option: string, secret: Secret): string {
  try {
    return secret.reveal();
  } catch (error) {
    throw new TransportError('untrusted', `${option} cannot be read: ${describeError(error)}`);
  }
}

function authorization(auth: AuthConfig): [name: string, value: string] {
  switch (auth.kind) {
    case 'basic': {
      const pair = `${auth.username}:${reveal('auth.basic', auth.password)}`;
      return ['authorization', `Basic ${Buffer.from(pair).toString('base64')}`];
    }
    case 'bearer':
      return ['authorization', `Bearer ${reveal('auth.bearer', auth.token)}`];
    case 'header':
      return [auth.name, reveal('auth.header', auth.value)];
  }
}

function set(headers: Record<string, string>, name: string, value: string): void {
  if (!HEADER_NAME.test(name) || RESERVED.has(name.toLowerCase())) {
    throw new TransportError('untrusted', `the header ${JSON.stringify(name)} cannot be configured`);
  }
  if (!HEADER_VALUE.test(value)) {
    throw new TransportError('untrusted', `the value for the header ${name} holds characters that HTTP does not allow`);
  }
  headers[name.toLowerCase()] = value;
}
