import { generateKeyPairSync } from 'node:crypto';
import net from 'node:net';
import forge from 'node-forge';

const DAY_MS = 86_400_000;

/** Keys that certificates take turns with: making one is slow, and all that counts is that neighbours differ. */
const LEAF_KEYS = 3;

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** DNS names and addresses; the first is the common name too. */
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** An authority. It and its certificates are valid for a day; these are for `localhost` and `127.0.0.1` unless told otherwise. */
export class TestCa {
  readonly cert: string;
  readonly #name: string;
  readonly #keys = newKeys();
  #serial = 1;

  constructor(name = 'auditail test CA') {
    this.#name = name;
    const notAfter = new Date(Date.now() + DAY_MS);
    this.cert = certificate({
      subject: name,
      issuer: name,
      keys: this.#keys,
      signer: this.#keys,
      isCa: true,
      notAfter,
    });
  }

  issue(options: CertificateOptions = {}): KeyPair {
    const keys = nextLeafKeys();
    const names = options.names ?? ['localhost', '127.0.0.1'];
    this.#serial += 1;
    const cert = certificate({
      ...options,
      names,
      subject: names[0]!,
      issuer: this.#name,
      keys,
      signer: this.#keys,
      serial: this.#serial,
    });
    return { cert, key: keys.pem };
  }
}

/** A certificate that no authority stands for. */
export function selfSigned(options: CertificateOptions = {}): KeyPair {
  const keys = nextLeafKeys();
  const names = options.names ?? ['localhost', '127.0.0.1'];
  const cert = certificate({ ...options, names, subject: names[0]!, issuer: names[0]!, keys, signer: keys });
  return { cert, key: keys.pem };
}

interface Keys {
  readonly pem: string;
  readonly privateKey: forge.pki.rsa.PrivateKey;
  readonly publicKey: forge.pki.rsa.PublicKey;
}

/** Made by node, which is many times faster at it than node-forge. */
function newKeys(): Keys {
  const { privateKey: pem } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const privateKey = forge.pki.privateKeyFromPem(pem);
  return { pem, privateKey, publicKey: forge.pki.setRsaPublicKey(privateKey.n, privateKey.e) };
}

const leafKeys: Keys[] = [];
let leaves = 0;

function nextLeafKeys(): Keys {
  const turn = leaves++ % LEAF_KEYS;
  leafKeys[turn] ??= newKeys();
  return leafKeys[turn];
}

interface CertificateFacts extends CertificateOptions {
  readonly subject: string;
  readonly issuer: string;
  readonly keys: Keys;
  readonly signer: Keys;
  readonly isCa?: boolean;
  readonly serial?: number;
}

function certificate(facts: CertificateFacts): string {
  const made = forge.pki.createCertificate();
  made.publicKey = facts.keys.publicKey;
  made.serialNumber = (facts.serial ?? 1).toString(16).padStart(4, '0');
  made.validity.notBefore = facts.notBefore ?? new Date(Date.now() - DAY_MS);
  made.validity.notAfter = facts.notAfter ?? new Date(Date.now() + DAY_MS);
  made.setSubject([{ name: 'commonName', value: facts.subject }]);
  made.setIssuer([{ name: 'commonName', value: facts.issuer }]);
  // Type 2 is a DNS name, type 7 an address (RFC 5280, section 4.2.1.6).
  const altNames = (facts.names ?? []).map((name) =>
    net.isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name },
  );
  made.setExtensions([
    { name: 'basicConstraints', cA: facts.isCa === true, critical: true },
    ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
  ]);
  made.sign(facts.signer.privateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(made);
}
