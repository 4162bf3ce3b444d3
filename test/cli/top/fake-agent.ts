import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentStatus } from '../../../src/admin/agent-status.ts';
import { EMPTY_STATUS } from '../../admin/fake-view.ts';

/** Answers as an agent's admin listener does, with a status of the test's choice. */
export class FakeAgent implements AsyncDisposable {
  status: AgentStatus;
  metrics = 'auditail_process_uptime_seconds 5400\n';
  /** Takes questions and does not answer them. */
  isStuck = false;
  /** Questions for the status. */
  asked = 0;
  readonly #server: http.Server;

  private constructor(status: Partial<AgentStatus>) {
    this.status = { ...EMPTY_STATUS, ...status };
    this.#server = http.createServer(({ url }, response) => {
      if (url === '/status') this.asked += 1;
      if (!this.isStuck) response.end(url === '/status' ? JSON.stringify(this.status) : this.metrics);
    });
  }

  static async start(status: Partial<AgentStatus> = {}): Promise<FakeAgent> {
    const agent = new FakeAgent(status);
    agent.#server.listen(0, '127.0.0.1');
    await once(agent.#server, 'listening');
    return agent;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
