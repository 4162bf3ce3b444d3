import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import tls from 'node:tls';
import type { TlsConfig } from '../../config/types.ts';
import { AuditailError, describeError, errorCode } from '../../errors.ts';

/** Files are looked at no more often than this. */
const LOOK_INTERVAL_MS = 1000;

/** A hundred times what the authorities of a whole system take. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** What new connections are made with; another object as soon as a file changed. */
export interface TlsMaterial {
  readonly minVersion: tls.SecureVersion;
  readonly ca: readonly string[];
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/**
 * The CA, certificate and key files of a sink, read again when they change.
 *
 * Rotation writes several files one after another: what does not fit together, or is cut off, is left alone, the
 * material before it stays in use, and the files are looked at again.
 */
export class TlsFiles {
  readonly #config: TlsConfig;
  readonly #now: () => number;
  readonly #onKept: (error: AuditailError) => void;
  #material: TlsMaterial | undefined;
  #identity = '';
  #lookedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param now milliseconds on any clock.
   * @param onKept told each time that changed files could not be used and older ones stay in use.
   */
  constructor(config: TlsConfig, now: () => number, onKept: (error: AuditailError) => void) {
    this.#config = config;
    this.#now = now;
    this.#onKept = onKept;
  }

  /** @throws AuditailError `TLS_FILE` that names option and file, as long as no files could be used yet. */
  current(): TlsMaterial {
    const now = this.#now();
    // A clock that was set back must not stop the looking.
    const isRecent = now >= this.#lookedAt && now - this.#lookedAt < LOOK_INTERVAL_MS;
    if (this.#material !== undefined && isRecent) return this.#material;
    this.#lookedAt = now;
    try {
      // Taken before the contents: a file that changes in between has another identity at the next look.
      const identity = this.#identify();
      if (this.#material === undefined || identity !== this.#identity) this.#material = this.#read();
      this.#identity = identity;
    } catch (error) {
      if (!(error instanceof AuditailError) || this.#material === undefined) throw error;
      this.#onKept(error);
    }
    return this.#material;
  }

  #identify(): string {
    const { caFile, certFile, keyFile } = this.#config;
    return [identityOf('ca_file', caFile), identityOf('cert_file', certFile), identityOf('key_file', keyFile)].join();
  }

  #read(): TlsMaterial {
    const { caFile, certFile, keyFile, minVersion } = this.#config;
    const material: TlsMaterial = {
      minVersion: `TLSv${minVersion}`,
      ca: caFile === undefined ? systemAuthorities() : readAuthorities(caFile),
      cert: certFile === undefined ? undefined : readFile('cert_file', certFile),
      key: keyFile === undefined ? undefined : readFile('key_file', keyFile),
    };
    if (material.cert !== undefined && material.key !== undefined) {
      checkPair(certFile as string, material.cert, keyFile as string, material.key);
    }
    return material;
  }
}

/** The system's authorities and those of NODE_EXTRA_CA_CERTS; the built-in ones where the system has none. */
function systemAuthorities(): readonly string[] {
  const system = tls.getCACertificates('system');
  if (system.length === 0) return tls.getCACertificates('default');
  return [...new Set([...system, ...tls.getCACertificates('extra')])];
}

/** A secret that a pod mounts is exchanged through a symlink: what stands behind it counts. */
function identityOf(option: string, file: string | undefined): string {
  if (file === undefined) return '';
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = fs.statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    throw unusable(option, file, errorCode(error) ?? 'unreadable', error);
  }
}

/** Not of a pipe or a device, which could hold up the agent, or fill its memory. */
function readFile(option: string, file: string): Buffer {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw unusable(option, file, 'it is no regular file');
    if (stat.size > MAX_FILE_BYTES) throw unusable(option, file, `it has ${stat.size} bytes, which no such file has`);
    return fs.readFileSync(fd);
  } catch (error) {
    if (error instanceof AuditailError) throw error;
    throw unusable(option, file, errorCode(error) ?? 'unreadable', error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Each certificate by itself: OpenSSL passes over text that it cannot read, and would trust nobody without a word. */
function readAuthorities(file: string): readonly string[] {
  const text = readFile('ca_file', file).toString('latin1');
  const begun = text.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/g)?.length ?? 0;
  const blocks = text.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g) ?? [];
  if (begun === 0) throw unusable('ca_file', file, 'it holds no PEM certificate');
  if (blocks.length < begun) throw unusable('ca_file', file, 'a certificate in it is cut off');
  for (const block of blocks) parseCertificate('ca_file', file, block);
  return blocks;
}

function parseCertificate(option: string, file: string, pem: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unusable(option, file, 'it holds no valid certificate', error);
  }
}

function checkPair(certFile: string, cert: Buffer, keyFile: string, key: Buffer): void {
  const leaf = parseCertificate('cert_file', certFile, cert);
  let isPair: boolean;
  try {
    isPair = leaf.checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw unusable('key_file', keyFile, 'it holds no private key that can be read without a passphrase', error);
  }
  if (!isPair) throw unusable('key_file', keyFile, `its key is not that of the certificate in ${certFile}`);
  try {
    tls.createSecureContext({ cert, key });
  } catch (error) {
    throw unusable('cert_file', certFile, describeError(error), error);
  }
}

function unusable(option: string, file: string, reason: string, cause?: unknown): AuditailError {
  return new AuditailError('TLS_FILE', `tls.${option} ${file} cannot be used: ${reason}`, {
    hint: `Check the file and the agent's right to read it; it is read again without a restart`,
    cause,
  });
}
