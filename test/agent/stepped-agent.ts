import { pino } from 'pino';
import type { AgentParts } from '../../src/agent/agent.ts';
import { buildParts } from '../../src/agent/build-agent.ts';
import type { Config } from '../../src/config/types.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';

/** What an agent's loop does, one step at a time, and a death in between. */
export class SteppedAgent {
  readonly #parts: AgentParts;

  private constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  static async start(config: Config): Promise<SteppedAgent> {
    const agent = new SteppedAgent(buildParts(config, new Telemetry(pino({ level: 'silent' }))));
    for (const { target } of [...agent.#parts.fileSinks, ...agent.#parts.httpSinks]) await target.start();
    return agent;
  }

  get gapsTold(): number {
    return this.#parts.inputs.reduce((sum, { source }) => sum + source.gapsTold, 0);
  }

  async sweep(): Promise<void> {
    for (const { source } of this.#parts.inputs) await source.sweep();
    await this.#recover();
  }

  /** Whether a sink at its own pace lacks what others have. */
  get isBehind(): boolean {
    return this.#parts.inputs.some(({ source }) => source.isBehind);
  }

  /** One chunk of each stream; whether there was any. */
  async poll(): Promise<boolean> {
    let progressed = false;
    for (const { source, pipeline } of this.#parts.inputs) {
      progressed = (await source.poll()) || progressed;
      if (pipeline.bytesTaken > 0) this.#parts.committer.taken(pipeline.bytesTaken);
      pipeline.flushCounts();
    }
    await this.#recover();
    return progressed;
  }

  async commit(): Promise<void> {
    await this.#parts.committer.commit();
  }

  /** Begins a commit, which goes on beside the next steps. */
  startCommit(): void {
    this.#parts.committer.request();
    this.#parts.committer.startIfDue();
  }

  /** What the agent does after an I/O error. */
  async rewind(): Promise<void> {
    this.#parts.committer.fail(new Error('injected'));
    await this.#recover();
  }

  async maintain(): Promise<void> {
    for (const { target } of this.#parts.fileSinks) await target.maintain();
  }

  /** As a running agent ends: what receivers do not take soon is spooled. */
  async stop(): Promise<void> {
    await this.commit();
    for (const { target } of this.#parts.httpSinks) await target.drain(50);
    if (this.#parts.httpSinks.length > 0) await this.commit();
    await this.#end();
  }

  /** Dies without a commit. A commit that is under way comes to its end or not, as with `kill -9`. */
  async crash(): Promise<void> {
    await this.#end();
  }

  async #recover(): Promise<void> {
    const { committer, fileSinks, inputs } = this.#parts;
    if (committer.failure === undefined) return;
    await committer.settle();
    for (const { target } of fileSinks) await target.rewind();
    for (const { source } of inputs) source.rewind();
    committer.reset();
  }

  async #end(): Promise<void> {
    const { committer, fileSinks, httpSinks, inputs, release } = this.#parts;
    for (const { target } of [...fileSinks, ...httpSinks]) await target.close();
    await committer.settle();
    for (const { source } of inputs) await source.close();
    release();
  }
}
