import { readFileSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { CertificateFiles } from './certificates.ts';

export interface PostOptions {
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whom to trust, for an `https` URL. */
  readonly tls?: CertificateFiles;
  /** Shows the client certificate as well. */
  readonly mutual?: boolean;
}

/** One POST with a gzip body, as our sinks send by default. */
export async function post(url: string, body: string, options: PostOptions): Promise<{ status: number; text: string }> {
  const { tls } = options;
  const settings = {
    method: 'POST',
    headers: { 'content-type': options.contentType, 'content-encoding': 'gzip', ...options.headers },
    // No connection is kept: a server that is asked to end would wait for it.
    agent: false,
    ...(tls && { ca: readFileSync(tls.ca) }),
    ...(tls && options.mutual && { cert: readFileSync(tls.clientCertificate), key: readFileSync(tls.clientKey) }),
  };
  return new Promise((resolve, reject) => {
    const request = (tls ? requestTls : requestPlain)(url, settings, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject);
    });
    request.once('error', reject);
    request.end(gzipSync(body));
  });
}
