import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import forge from 'node-forge';

/** Files with PEM text. */
export interface CertificateFiles {
  /** Of the authority that signed both certificates. */
  readonly ca: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

const HOUR_MS = 3_600_000;

/** 2048 bits: what TLS libraries still take without a word. */
const KEY_BITS = 2048;

/** What an ordinary set-up of mutual TLS has: an authority, a server for 127.0.0.1 and localhost, and one client. */
export function writeCertificates(directory: string): CertificateFiles {
  const authority = newKeys();
  const ca = certificate('auditail test authority', 1, authority, undefined, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  const signedBy = { certificate: ca, keys: authority };
  const serverKeys = newKeys();
  const server = certificate('localhost', 2, serverKeys, signedBy, [
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ]);
  const clientKeys = newKeys();
  const client = certificate('auditail', 3, clientKeys, signedBy, [{ name: 'extKeyUsage', clientAuth: true }]);
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    ca: write('ca.pem', forge.pki.certificateToPem(ca)),
    serverCertificate: write('server.pem', forge.pki.certificateToPem(server)),
    serverKey: write('server.key', forge.pki.privateKeyToPem(serverKeys.privateKey)),
    clientCertificate: write('client.pem', forge.pki.certificateToPem(client)),
    clientKey: write('client.key', forge.pki.privateKeyToPem(clientKeys.privateKey)),
  };
}

function newKeys(): forge.pki.rsa.KeyPair {
  return forge.pki.rsa.generateKeyPair(KEY_BITS);
}

function certificate(
  commonName: string,
  serial: number,
  keys: forge.pki.rsa.KeyPair,
  issuer: { certificate: forge.pki.Certificate; keys: forge.pki.rsa.KeyPair } | undefined,
  extensions: object[],
): forge.pki.Certificate {
  const made = forge.pki.createCertificate();
  made.publicKey = keys.publicKey;
  made.serialNumber = serial.toString(16).padStart(2, '0');
  made.validity.notBefore = new Date(Date.now() - HOUR_MS);
  made.validity.notAfter = new Date(Date.now() + 24 * HOUR_MS);
  made.setSubject([{ name: 'commonName', value: commonName }]);
  made.setIssuer(issuer?.certificate.subject.attributes ?? made.subject.attributes);
  made.setExtensions(extensions);
  made.sign(issuer?.keys.privateKey ?? keys.privateKey, forge.md.sha256.create());
  return made;
}
