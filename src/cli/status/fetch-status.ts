import { type AgentStatus, STATUS_VERSION } from '../../admin/agent-status.ts';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { AuditailError } from '../../errors.ts';
import { askAgent } from './ask-agent.ts';

/** What the listener answers with while there is no agent behind it. */
const STARTING = 'The agent is starting';

/**
 * Asks a running agent for its status.
 *
 * @param signal gives the question up
 * @throws AuditailError `STATUS_UNREACHABLE`, `STATUS_STARTING`, `STATUS_ANSWER`
 */
export async function fetchStatus(address: ListenAddress, signal?: AbortSignal): Promise<AgentStatus> {
  const answer = await askAgent(address, '/status', signal);
  let status: unknown;
  try {
    status = JSON.parse(answer.body);
  } catch {
    // What it is is told below.
  }
  if (isStatus(status)) return status;
  const place = formatListenAddress(address);
  // Also between the two agents of a reload.
  if (answer.status === 503 && answer.body.startsWith(STARTING)) {
    throw new AuditailError('STATUS_STARTING', `the agent on ${place} is starting`, {
      hint: 'Ask again in a moment; if it stays so, its log says what it waits for',
    });
  }
  const hint = 'Another program may listen there, or an agent of another version: use the auditail that it runs';
  const what = answer.status === 200 ? 'is no status that this version knows' : `was ${answer.status}`;
  throw new AuditailError('STATUS_ANSWER', `the answer from ${place} ${what}`, { hint });
}

function isStatus(value: unknown): value is AgentStatus {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === STATUS_VERSION;
}
