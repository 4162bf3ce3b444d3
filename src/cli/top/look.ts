import type { AgentStatus } from '../../admin/agent-status.ts';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { AuditailError } from '../../errors.ts';
import { askAgent } from '../status/ask-agent.ts';
import { fetchStatus } from '../status/fetch-status.ts';
import { parseMetrics, type Sample } from './parse-metrics.ts';

/** What rates are made of. Those of a source have its name as label, those of a sink that sink's. */
export const COUNTERS = [
  'received_events_total',
  'received_bytes_total',
  'archive_events_total',
  'archive_content_bytes_total',
  'http_delivered_events_total',
  'http_delivered_bytes_total',
] as const;
export type CounterName = (typeof COUNTERS)[number];

/** What an agent said at one moment. */
export interface Look {
  readonly status: AgentStatus;
  /** When it was asked, milliseconds on a clock that only goes on. */
  readonly at: number;
  /** Of the agent's process. */
  readonly uptimeSeconds: number | undefined;
  /** Counters by {@link counterKey}. */
  readonly counters: ReadonlyMap<string, number>;
}

/** @param label the name of the source or sink */
export function counterKey(name: CounterName, label: string): string {
  return `${name} ${label}`;
}

/**
 * Asks a running agent for its status and its counters, which it answers with one look at itself.
 *
 * @throws AuditailError `STATUS_UNREACHABLE`, `STATUS_STARTING`, `STATUS_ANSWER`
 */
export async function takeLook(address: ListenAddress, signal: AbortSignal): Promise<Look> {
  const at = performance.now();
  const [status, metrics] = await Promise.all([fetchStatus(address, signal), askAgent(address, '/metrics', signal)]);
  if (metrics.status !== 200) {
    const place = formatListenAddress(address);
    throw new AuditailError('STATUS_ANSWER', `the answer from ${place} to /metrics was ${metrics.status}`);
  }
  return { status, at, ...numbers(parseMetrics(metrics.body)) };
}

function numbers(samples: readonly Sample[]): Pick<Look, 'uptimeSeconds' | 'counters'> {
  const names = new Map<string, CounterName>(COUNTERS.map((name) => [`auditail_${name}`, name]));
  const counters = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    const counter = names.get(name);
    if (counter !== undefined) counters.set(counterKey(counter, labels.sink ?? labels.source ?? ''), value);
  }
  const uptime = samples.find(({ name }) => name === 'auditail_process_uptime_seconds');
  return { uptimeSeconds: uptime?.value, counters };
}
