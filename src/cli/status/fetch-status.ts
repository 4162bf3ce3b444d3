import http from 'node:http';
import { type AgentStatus, STATUS_VERSION } from '../../admin/agent-status.ts';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { AuditailError, describeError } from '../../errors.ts';

const TIMEOUT_MS = 10_000;

/** Of an answer. A status with the most segments that an agent holds takes a fraction of it. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Asks a running agent for its status.
 *
 * @throws AuditailError `STATUS_UNREACHABLE`, `STATUS_ANSWER`
 */
export async function fetchStatus(address: ListenAddress): Promise<AgentStatus> {
  const place = formatListenAddress(address);
  const answer = await get(address).catch((cause: unknown) => {
    throw new AuditailError('STATUS_UNREACHABLE', `no agent answers on ${place}`, {
      cause,
      hint: 'Is it running, and is this its admin.listen? Name its configuration with -c, or the address with --address',
    });
  });
  let status: unknown;
  try {
    status = JSON.parse(answer.body);
  } catch {
    // What it is is told below.
  }
  if (isStatus(status)) return status;
  const hint = 'Another program may listen there, or an agent of another version: use the auditail that it runs';
  const what = answer.status === 200 ? 'is no status that this version knows' : `was ${answer.status}`;
  throw new AuditailError('STATUS_ANSWER', `the answer from ${place} ${what}`, { hint });
}

function get(address: ListenAddress): Promise<{ status: number; body: string }> {
  const place =
    address.kind === 'unix' ? { socketPath: address.path } : { host: reachable(address.host), port: address.port };
  return new Promise((resolve, reject) => {
    const request = http.get({ ...place, path: '/status', agent: false }, (response) => {
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

function isStatus(value: unknown): value is AgentStatus {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === STATUS_VERSION;
}
