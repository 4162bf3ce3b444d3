import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentOptions, AgentProcess, type Exit, type LogLine } from '../test/helpers/agent-process.ts';
import type { PlannedKill } from './kill-plan.ts';
import type { WriterProcess } from './writer-process.ts';

const DRAIN_MS = 60_000;
const MAX_WARNINGS = 20;
const QUOTED_LINES = 10;

/** The agent through all its lives: started, killed, started again, drained. */
export class AgentUnderFire {
  kills = 0;
  /** The last lines that one of the processes logged as a warning or an error. */
  readonly warnings: string[] = [];
  readonly #config: AgentOptions['config'];
  #pid: number | undefined;

  constructor(config: AgentOptions['config']) {
    this.#config = config;
  }

  /** Of the process that runs, or ran last. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /**
   * Keeps the agent running until the writer is done, but for the planned kills, and stops it with SIGTERM.
   *
   * @throws Error when the agent ends by itself, or the writer before it is done.
   */
  async survive(
    writer: WriterProcess,
    plans: readonly PlannedKill[],
    onKill: (pid: number | undefined, plan: PlannedKill) => void,
  ): Promise<void> {
    let agent = this.#start();
    for (const plan of plans) {
      await writer.reached(plan.atEvents);
      await sleep(plan.delayMs);
      if (plan.gentle === true) {
        await this.#stop(agent);
      } else {
        const exit = await agent.kill();
        this.#keepWarnings(agent.log);
        if (exit.signal !== 'SIGKILL') throw ended('ended by itself', exit, agent.log);
        this.kills++;
      }
      onKill(agent.pid, plan);
      await sleep(plan.awayMs);
      agent = this.#start();
    }
    const tooEarly = agent.exited.then((exit) => {
      throw ended('ended by itself', exit, agent.log);
    });
    await Promise.race([writer.done, tooEarly]);
    await this.#stop(agent);
  }

  /** Reads what is left: `run --exit-at-eof`. @throws Error when that fails. */
  async drain(): Promise<void> {
    const { log, ...exit } = await AgentProcess.runToEnd({ config: this.#config }, DRAIN_MS);
    this.#keepWarnings(log);
    if (exit.code !== 0) throw ended('failed with --exit-at-eof', exit, log);
  }

  #start(): AgentProcess {
    const agent = AgentProcess.start({ config: this.#config });
    this.#pid = agent.pid;
    return agent;
  }

  async #stop(agent: AgentProcess): Promise<void> {
    // A SIGTERM before the program has begun would end it like any other program: nothing to see of draining.
    await agent.waitFor('the first log line', () => agent.log.length > 0);
    const exit = await agent.stop(DRAIN_MS);
    this.#keepWarnings(agent.log);
    if (exit.code !== 0) throw ended('was stopped by SIGTERM and failed', exit, agent.log);
  }

  #keepWarnings(log: readonly LogLine[]): void {
    const warnings = log.filter(({ level, text }) => level !== 'info' && level !== 'debug' && text === undefined);
    this.warnings.push(...warnings.map((line) => JSON.stringify(line)));
    this.warnings.splice(0, this.warnings.length - MAX_WARNINGS);
  }
}

function ended(how: string, exit: Exit, log: readonly LogLine[]): Error {
  const lines = log.slice(-QUOTED_LINES).map((line) => `\n  ${line.text ?? JSON.stringify(line)}`);
  return new Error(`the agent ${how} (${exit.signal ?? exit.code}). Its last log lines:${lines.join('') || ' none'}`);
}
