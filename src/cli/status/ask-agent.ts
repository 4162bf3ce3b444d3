import http from 'node:http';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { AuditailError, describeError } from '../../errors.ts';

const TIMEOUT_MS = 10_000;

/** Of an answer. A status with the most segments that an agent holds takes a fraction of it. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export interface AgentAnswer {
  /** Of HTTP. */
  readonly status: number;
  readonly body: string;
}

/**
 * Asks an agent's admin listener for a path (`/status`), within ten seconds.
 *
 * @param signal gives the question up
 * @throws AuditailError `STATUS_UNREACHABLE`
 */
export async function askAgent(address: ListenAddress, path: string, signal?: AbortSignal): Promise<AgentAnswer> {
  try {
    return await get(address, path, signal);
  } catch (cause) {
    throw new AuditailError('STATUS_UNREACHABLE', `no agent answers on ${formatListenAddress(address)}`, {
      cause,
      hint: 'Is it running, and is this its admin.listen? Name its configuration with -c, or the address with --address',
    });
  }
}

function get(address: ListenAddress, path: string, signal: AbortSignal | undefined): Promise<AgentAnswer> {
  const place =
    address.kind === 'unix' ? { socketPath: address.path } : { host: reachable(address.host), port: address.port };
  const given = signal === undefined ? {} : { signal };
  return new Promise((resolve, reject) => {
    const request = http.get({ ...place, ...given, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    request.on('error', (error) => reject(new Error(describeError(error), { cause: error })));
    request.on('close', () => clearTimeout(timer));
  });
}

/** An agent that listens on all addresses is found on the loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
