import assert from 'node:assert/strict';
import { pino } from 'pino';
import type { AgentParts } from '../../src/agent/agent-parts.ts';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent, buildParts } from '../../src/agent/build-agent.ts';
import type { Config } from '../../src/config/types.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';

/** What receivers have for an end, twice. */
const DRAIN_MS = 100;

/** What an agent's loop does, one step at a time, and a death in between. */
export class SteppedAgent {
  readonly #state: AgentState;
  #parts: AgentParts;

  private constructor(state: AgentState, parts: AgentParts) {
    this.#state = state;
    this.#parts = parts;
  }

  static async start(config: Config): Promise<SteppedAgent> {
    const state = AgentState.open(config, new Telemetry(pino({ level: 'silent' })));
    const agent = new SteppedAgent(state, buildParts(config, state));
    await agent.#begin();
    return agent;
  }

  get state(): AgentState {
    return this.#state;
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

  /** HTTP sinks hold nothing in memory or in their spools. */
  get isIdle(): boolean {
    return this.#parts.httpSinks.every(({ target }) => target.isIdle);
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
    await this.#state.httpSinks.drain(DRAIN_MS);
    await this.#end();
    await this.#state.close();
  }

  /**
   * Goes on with another configuration.
   *
   * @param options.commits without it the commit at the end fails, and what was not committed before is read again.
   */
  async reload(config: Config, { commits } = { commits: true }): Promise<void> {
    if (commits) await this.commit();
    await this.#end();
    await this.#state.letGo({ ...config, shutdownTimeoutMs: DRAIN_MS });
    this.#parts = buildParts(config, this.#state);
    await this.#begin();
  }

  /** Makes way for an agent that cannot start, and goes on in its place. */
  async refuse(config: Config): Promise<void> {
    const before = this.#parts.config;
    await this.commit();
    await this.#end();
    await this.#state.letGo(config);
    await assert.rejects(buildAgent(config, this.#state).run({ exitAtEof: true }));
    await this.#state.letGo(before);
    this.#parts = buildParts(before, this.#state);
    await this.#begin();
  }

  /** Dies without a commit. A commit that is under way comes to its end or not, as with `kill -9`. */
  async crash(): Promise<void> {
    await this.#state.httpSinks.close();
    await this.#end();
    await this.#state.close();
  }

  async #begin(): Promise<void> {
    for (const { target } of [...this.#parts.fileSinks, ...this.#parts.httpSinks]) await target.start();
    await this.#state.started(this.#parts.config);
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
    const { committer, fileSinks, inputs } = this.#parts;
    for (const { target } of fileSinks) await target.close();
    await committer.settle();
    for (const { source } of inputs) {
      await source.close({ keepsFiles: true });
      this.#state.logs.hold(source.config, source.segments());
    }
  }
}
