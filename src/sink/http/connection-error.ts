import type { PeerCertificate } from 'node:tls';
import { errorCode } from '../../errors.ts';
import { TransportError } from './transport.ts';

/** Most characters of a text that the other side chose, such as the names in its certificate. */
const MAX_FOREIGN_TEXT = 200;

/** What is known of an attempt to agree on TLS. */
export interface HandshakeFacts {
  /** Who should have been at the other end. */
  readonly name: string;
  /** As the configuration has it: `1.2`. */
  readonly minVersion: string;
  /** Whether `tls.ca_file` says whom to trust, and not the system. */
  readonly hasCaFile: boolean;
  readonly hasClientCertificate: boolean;
  /** The certificate that was shown, if one was. */
  readonly certificate: Partial<PeerCertificate> | undefined;
}

const CONNECTION_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed while sending',
  UND_ERR_SOCKET: 'connection closed before the answer',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer does not have the length that it says',
};

/** A connection that there was. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** What undici refuses to send; bodies and paths are ours. */
const UNSENDABLE = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/** Errors of the operating system while TLS is agreed on: the other side went away, which says nothing about trust. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTCONN']);

/**
 * A connection that failed, in words of our own: texts of others may hold a path, a header or a secret, so nothing of
 * them is passed on but their code.
 *
 * @param peer who should have answered: an origin, never more of a URL.
 */
export function connectionError(peer: string, error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  const code = errorCode(error) ?? (error instanceof Error ? error.name : 'unknown');
  // An alert may come after the handshake: TLS 1.3 asks for the client's certificate that late.
  if (isTlsCode(code)) return new TransportError('untrusted', `${peer}: ${tlsText(code)} (${code})`);
  if (UNSENDABLE.has(code)) {
    return new TransportError('untrusted', `${peer}: a configured header is not one that can be sent (${code})`);
  }
  const isGarbage = code.startsWith('HPE_') || code === 'HTTPParserError';
  const text = CONNECTION_TEXTS[code] ?? (isGarbage ? 'what came back is not HTTP' : 'the request failed');
  return new TransportError('unreachable', `${peer}: ${text} (${code})`);
}

/** {@link connectionError} of a request that was on its way. Errors of making the connection are TransportErrors already. */
export function requestError(peer: string, error: unknown): TransportError {
  const told = connectionError(peer, error);
  const isBroken = told !== error && BROKEN.has(errorCode(error) ?? '');
  return isBroken ? new TransportError('broken', told.message) : told;
}

/** TLS that could not be agreed on, with the reason in the words of the options that mend it. */
export function handshakeError(peer: string, error: unknown, facts: HandshakeFacts): TransportError {
  if (error instanceof TransportError) return error;
  const code = errorCode(error) ?? 'unknown';
  if (GONE.has(code)) {
    return new TransportError('unreachable', `${peer}: connection closed during the TLS handshake (${code})`);
  }
  return new TransportError('untrusted', `${peer}: ${certificateText(code, error, facts)} (${code})`);
}

function certificateText(code: string, error: unknown, facts: HandshakeFacts): string {
  const { certificate, hasCaFile, name } = facts;
  const holder = hasCaFile ? 'tls.ca_file' : `the system's list of authorities`;
  switch (code) {
    case 'CERT_HAS_EXPIRED': {
      const end = certificate?.valid_to;
      const isLeaf = end !== undefined && Date.parse(end) < Date.now();
      return isLeaf ? `its certificate expired at ${isoTime(end)}` : 'a certificate of its chain has expired';
    }
    case 'CERT_NOT_YET_VALID':
      return `its certificate is not valid before ${isoTime(certificate?.valid_from)}`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      const names = foreign(shownCertificate(error)?.subjectaltname ?? certificate?.subjectaltname ?? 'no name at all');
      return `its certificate is not for ${name} but for ${names}; see tls.server_name`;
    }
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return `its certificate is self-signed and not in ${holder}`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE': {
      const issuer = foreign(String(certificate?.issuer?.CN ?? 'an unnamed authority'));
      return `its certificate was issued by an authority that is not in ${holder}: ${issuer}`;
    }
  }
  if (isVersionCode(code)) return `it does not offer TLS ${facts.minVersion} or later`;
  if (code.includes('ALERT_HANDSHAKE_FAILURE') && !facts.hasClientCertificate) {
    return 'it refused the TLS handshake; it may want a client certificate (tls.cert_file, tls.key_file)';
  }
  return isTlsCode(code) ? tlsText(code) : 'its certificate is not to be trusted';
}

function tlsText(code: string): string {
  if (isVersionCode(code)) return 'no common TLS version';
  if (code.includes('CERTIFICATE_REQUIRED')) return 'it wants a client certificate (tls.cert_file, tls.key_file)';
  if (/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE|UNSUPPORTED_CERT)/.test(code)) {
    return 'it does not accept the client certificate (tls.cert_file)';
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code)) return 'it does not speak TLS';
  return 'TLS failed';
}

function isVersionCode(code: string): boolean {
  return /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/.test(code);
}

function isTlsCode(code: string): boolean {
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO';
}

function shownCertificate(error: unknown): Partial<PeerCertificate> | undefined {
  return (error as { cert?: Partial<PeerCertificate> } | undefined)?.cert;
}

/** A text of the other side on one line, without anything that a terminal would obey. */
function foreign(text: string): string {
  const line = text.replace(/[^\x20-\x7e]/g, '?');
  return line.length > MAX_FOREIGN_TEXT ? `${line.slice(0, MAX_FOREIGN_TEXT)}…` : line;
}

function isoTime(text: string | undefined): string {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? 'an unknown time' : new Date(time).toISOString();
}
