import type { AdminView } from '../../src/admin/admin-view.ts';
import type { AgentStatus } from '../../src/admin/agent-status.ts';

/** An agent that reads nothing and is well. */
export const EMPTY_STATUS: AgentStatus = {
  version: 1,
  program: 'auditail 0.0.0',
  pid: 1,
  time: '2026-01-15T09:00:00.000Z',
  phase: 'running',
  unready: [],
  sources: [],
  sinks: [],
  commits: { completed: 0, failures_in_a_row: 0 },
  memory: { resident_bytes: 0, archive_bytes_in_flight: 0 },
  state: { directory: '/state', free_bytes: 1, size_bytes: 2 },
  troubles: [],
};

export function fakeView(changes: Partial<AdminView> = {}): AdminView {
  return {
    dead: () => undefined,
    unready: async () => [],
    status: async () => EMPTY_STATUS,
    metrics: async () => '# HELP a A\n# TYPE a gauge\na 1\n',
    ...changes,
  };
}
