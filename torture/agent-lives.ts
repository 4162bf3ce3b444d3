import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentProcess, type Exit } from '../test/helpers/agent-process.ts';
import type { LogModel } from './log-model.ts';
import { askStatus, noteSeen, type Usage, usageOf } from './probe.ts';
import { Timeline } from './timeline.ts';

const PROBE_MS = 200;
const CATCH_UP_MS = 2500;
const RESTART_MS = 200;
const START_MS = 20_000;
/** `shutdown_timeout`, and what a loaded machine adds. */
const STOP_MS = 20_000;

const RUNS = 'auditail runs';
const FAILS = /^writing failed/;
const WORKS = 'writing works again';

export interface LivesOptions {
  readonly model: LogModel;
  readonly socket: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of the log and the archive. */
  readonly directories: readonly string[];
  /** What the agents log is appended to it. */
  readonly logFile: string;
  config(): Readonly<Record<string, unknown>>;
  /** Whether the host failed at any time from then until now. */
  hostFailedSince(ms: number): boolean;
  violation(rule: string, text: string): void;
}

/** The agent through all its lives, and what it may and may not do at their ends. */
export class AgentLives {
  readonly timeline = new Timeline();
  starts = 0;
  readonly usages: Usage[] = [];
  readonly #options: LivesOptions;
  #agent: AgentProcess | undefined;
  #startedAt = 0;
  /** An end that was asked for is no surprise. */
  #ending = false;
  #down = false;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#agent?.running === true ? this.#agent.pid : undefined;
  }

  /** Whether the agent that is there has said that it runs. */
  get isUp(): boolean {
    return this.pid !== undefined && this.#agent?.findLog(RUNS) !== undefined;
  }

  start(): void {
    this.#down = false;
    this.#ending = false;
    this.#startedAt = Date.now();
    this.starts++;
    const agent = AgentProcess.start({ config: this.#options.config(), env: this.#options.env });
    this.#agent = agent;
    agent.exited.then((exit) => {
      this.#keepLog(agent);
      if (agent === this.#agent && !this.#ending) this.#endedByItself(exit, agent);
    });
  }

  /** Waits until an agent runs. */
  async ensureStarted(): Promise<void> {
    if (this.#down) this.start();
    if (!(await this.started())) this.#options.violation('goes on by itself', 'no agent runs');
  }

  /** Asks the agent again and again what it has seen, until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.probe();
      await sleep(PROBE_MS);
    }
  }

  async probe(): Promise<void> {
    const pid = this.pid;
    const life = this.starts;
    if (pid === undefined) return;
    const status = await askStatus(this.#options.socket);
    if (status === undefined || status.pid !== pid) return;
    noteSeen(this.#options.model, status, life);
    const works = status.phase === 'running' && status.commits.failures_in_a_row === 0;
    if (works && !this.#options.hostFailedSince(Date.now() - PROBE_MS)) this.timeline.awake(life, Date.now());
    const usage = usageOf(pid, status, this.#options.directories);
    if (usage !== undefined) this.usages.push(usage);
  }

  /** Waits until every sink has everything that the agent knows of, but not for long. */
  async catchUp(): Promise<void> {
    for (const end = Date.now() + CATCH_UP_MS; Date.now() < end; await sleep(PROBE_MS)) {
      const status = this.isUp ? await askStatus(this.#options.socket) : undefined;
      if (status?.sources.every(({ lag }) => lag.every(({ bytes }) => bytes === 0)) === true) return;
    }
  }

  async kill(): Promise<void> {
    const agent = this.#end();
    const exit = await agent?.kill();
    if (exit !== undefined && exit.signal !== 'SIGKILL') this.#judgeEnd(exit, agent!);
  }

  /** SIGTERM. Exit code 0, or 1 where what failed last on the host did so still. */
  async stop(): Promise<void> {
    if (!(await this.started())) return;
    const agent = this.#end()!;
    try {
      this.#judgeEnd(await agent.stop(STOP_MS), agent);
    } catch (error) {
      this.#options.violation('exit codes', String(error));
    }
  }

  /** @returns false when it was not there. */
  signal(signal: NodeJS.Signals): boolean {
    if (!this.isUp) return false;
    this.#agent!.signal(signal);
    return true;
  }

  reload(config: Readonly<Record<string, unknown>> | string): boolean {
    if (!this.isUp) return false;
    this.#agent!.reconfigure(config);
    return this.signal('SIGHUP');
  }

  /** Another process with the same state: it has to refuse. @returns false when it could not be tried. */
  async startSecond(): Promise<boolean> {
    const first = this.pid;
    if (!this.isUp) return false;
    const config = { ...this.#options.config(), admin: { listen: 'off' } };
    await using second = AgentProcess.start({ config, env: this.#options.env });
    const late = sleep(START_MS, undefined, { ref: false });
    const exit = await Promise.race([second.exited, late]);
    this.#keepLog(second);
    if (first !== this.pid) return false;
    if (exit?.code !== 1) {
      this.#options.violation('a second agent', `it ended with ${JSON.stringify(exit)} beside a running one`);
    }
    return true;
  }

  #end(): AgentProcess | undefined {
    this.#ending = true;
    this.#down = true;
    const agent = this.#agent;
    return agent?.running === true ? agent : undefined;
  }

  /** Before it handles signals they end it like any program: waits until it does. @returns false when it never did. */
  async started(): Promise<boolean> {
    for (let waited = 0; waited < START_MS; waited += 20) {
      if (this.isUp) return true;
      await sleep(20);
    }
    return this.isUp;
  }

  #judgeEnd(exit: Exit, agent: AgentProcess): void {
    if (exit.code === 0) return;
    const troubles = agent.log.filter(({ message }) => FAILS.test(String(message)) || message === WORKS);
    const isFailing = troubles.length > 0 && troubles.at(-1)!.message !== WORKS;
    if (exit.code === 1 && (isFailing || this.#options.hostFailedSince(Date.now() - STOP_MS))) return;
    this.#options.violation('exit codes', `SIGTERM: ${describe(exit, agent)}`);
  }

  #endedByItself(exit: Exit, agent: AgentProcess): void {
    const isExplained = exit.code === 1 && this.#options.hostFailedSince(this.#startedAt);
    if (!isExplained) this.#options.violation('exit codes', `ended by itself: ${describe(exit, agent)}`);
    setTimeout(() => {
      if (agent === this.#agent && !this.#down) this.start();
    }, RESTART_MS).unref();
  }

  #keepLog(agent: AgentProcess): void {
    const lines = agent.log.map((line) => `${line.text ?? JSON.stringify(line)}\n`);
    appendFileSync(this.#options.logFile, `--- process ${agent.pid}\n${lines.join('')}`);
  }
}

function describe(exit: Exit, agent: AgentProcess): string {
  const last = agent.log.slice(-4).map((line) => `\n    ${line.text ?? JSON.stringify(line)}`);
  return `process ${agent.pid} ended with ${exit.signal ?? exit.code}${last.join('')}`;
}
