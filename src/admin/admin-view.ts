import type { AgentStatus } from './agent-status.ts';

/** What the listener answers with. Each call is one look at the agent. */
export interface AdminView {
  /** Why the agent is to be restarted; undefined while it is alive. */
  dead(): string | undefined;
  /** Why it does not do its work now; empty when it is ready. */
  unready(): Promise<readonly string[]>;
  status(): Promise<AgentStatus>;
  /** In the Prometheus text format. */
  metrics(): Promise<string>;
}
