import { setTimeout as delay } from 'node:timers/promises';
import { AdminListener } from '../admin/admin-listener.ts';
import { AgentLook } from '../admin/agent-look.ts';
import type { Agent } from '../agent/agent.ts';
import { AgentState } from '../agent/agent-state.ts';
import { buildAgent } from '../agent/build-agent.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/types.ts';
import { AuditailError, describeError } from '../errors.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { RecentTroubles } from '../telemetry/recent-troubles.ts';
import { ServiceManager } from '../telemetry/service-manager.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import type { Command, ExitCode } from './command.ts';

/** Before an agent is started again that could not be: each time is an error in the log. */
const RETRY_START_MS = 2_000;

interface RunOptions {
  readonly config: string;
  readonly exitAtEof?: true;
}

export const run: Command<RunOptions> = {
  name: 'run',
  summary: 'run the agent',
  description:
    'Tails the configured logs until it is told to stop. SIGTERM or SIGINT: stop reading, deliver or spool, commit, exit; a second one ' +
    'exits at once, and nothing is lost even then. SIGHUP: read the configuration again and go on with it; an invalid one ' +
    'is refused, and an HTTP sink that it does not change keeps its connections and its queue. SIGUSR1: commit now.',
  example: 'auditail run -c /etc/auditail/auditail.yaml\nauditail run -c auditail.yaml --exit-at-eof',
  options: [
    { flags: '-c, --config <file>', description: 'the configuration file', required: true },
    { flags: '--exit-at-eof', description: 'read everything that exists, deliver it, commit, and exit' },
  ],
  async handler({ options }): Promise<ExitCode> {
    const load = () => loadConfig(options.config, { env: process.env });
    const daemon = new Daemon(load(), load, { exitAtEof: options.exitAtEof === true });
    return daemon.run();
  },
};

/**
 * One agent after another, each on the configuration that was valid last; signals go to the one that runs. What a reload
 * does not change they hand on, in the {@link AgentState}.
 */
class Daemon {
  #config: Config;
  /** The last one that an agent has started on. */
  #proven: Config | undefined;
  readonly #load: () => Config;
  readonly #exitAtEof: boolean;
  readonly #troubles = new RecentTroubles();
  readonly #admin = new AdminListener(() => this.#log);
  #log: Logger;
  readonly #telemetry: Telemetry;
  readonly #service: ServiceManager;
  #agent: Agent | undefined;
  #stopping = false;
  /** When it was told to stop, on the clock of `performance`. */
  #stoppedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #pausing = new AbortController();

  constructor(config: Config, load: () => Config, options: { exitAtEof: boolean }) {
    this.#config = config;
    this.#load = load;
    this.#exitAtEof = options.exitAtEof;
    this.#log = createLogger(config.log, this.#troubles);
    this.#telemetry = new Telemetry(this.#log);
    this.#service = new ServiceManager(process.env, process.pid, () => this.#log);
  }

  async run(): Promise<ExitCode> {
    const listeners = {
      SIGTERM: () => this.#stop('SIGTERM'),
      SIGINT: () => this.#stop('SIGINT'),
      SIGHUP: () => this.#reload(),
      SIGUSR1: () => this.#agent?.commitNow(),
    } as const;
    for (const [signal, listener] of Object.entries(listeners)) process.on(signal, listener);
    this.#service.watch(() => this.#agent?.turn() ?? Promise.resolve());
    let state: AgentState | undefined;
    try {
      state = AgentState.open(this.#config, this.#telemetry);
      while (!this.#stopping) {
        const config = this.#config;
        const trouble = await this.#runAgent(config, state);
        if (config === this.#config) {
          if (trouble === undefined) break;
          await this.#pause();
          if (this.#stopping) throw trouble;
        }
        if (config !== this.#config) await this.#changeOver(state);
      }
      await state.httpSinks.drain(this.#leftMs());
      this.#log.info('auditail stopped: everything that was read is committed');
      return 0;
    } finally {
      this.#admin.show(undefined);
      await state?.close();
      clearTimeout(this.#timer);
      // Log lines that nobody takes must not keep the process.
      setTimeout(() => process.exit(), this.#config.shutdownTimeoutMs).unref();
      await this.#service.close();
      for (const [signal, listener] of Object.entries(listeners)) process.off(signal, listener);
      await this.#admin.close();
    }
  }

  /**
   * Runs one agent to its end. Where it fails and there is another configuration to go on with, it only tells why.
   *
   * @returns why an agent could not start with what another ran with before; nothing was read
   */
  async #runAgent(config: Config, state: AgentState): Promise<unknown> {
    let agent: Agent | undefined;
    try {
      agent = buildAgent(config, state);
      this.#agent = agent;
      // Until here the agent before was shown, so that no scrape fails in a reload.
      this.#admin.show(new AgentLook(agent, this.#telemetry, this.#troubles));
      // A run that ends by itself may stand beside the daemon of the same configuration, which has the address.
      if (!this.#exitAtEof) await this.#admin.listen(config.admin.listen);
      this.#log.info({ pid: process.pid, state_dir: config.stateDir, threads: config.threads }, 'auditail runs');
      await agent.run({ exitAtEof: this.#exitAtEof, onReading: () => this.#service.ready() });
    } catch (error) {
      if (this.#stopping) throw error;
      if (config !== this.#config) {
        this.#log.warn({ error: describeError(error) }, 'not all could be committed before: it is read again');
      } else if (agent?.hasStarted !== true && this.#proven !== undefined && this.#proven !== config) {
        this.#config = this.#proven;
        this.#log.error({ error: describeError(error) }, 'the new configuration cannot start: it is refused');
      } else if (agent?.hasStarted !== true && this.#proven === config) {
        // The disk is full, say. What the agent before had open is held: to end here could lose it.
        this.#log.error({ error: describeError(error) }, 'the configuration that ran cannot start now: trying again');
        return error;
      } else {
        throw error;
      }
    } finally {
      if (agent?.hasStarted === true) this.#proven = config;
    }
    return undefined;
  }

  /** Until it is time to try again, or a signal comes. */
  async #pause(): Promise<void> {
    this.#pausing = new AbortController();
    await delay(RETRY_START_MS, undefined, { signal: this.#pausing.signal }).catch(() => undefined);
  }

  /** From one agent to the next: ends what the configuration that is valid by then does not go on with. */
  async #changeOver(state: AgentState): Promise<void> {
    let config: Config;
    do {
      config = this.#config;
      await state.letGo(config);
    } while (config !== this.#config);
    if (this.#stopping) return;
    this.#log = createLogger(config.log, this.#troubles);
    this.#telemetry.log = this.#log;
    this.#log.info(config === this.#proven ? 'the old configuration applies again' : 'the new configuration applies');
  }

  /** What is left of shutdown_timeout. */
  #leftMs(): number {
    const { shutdownTimeoutMs } = this.#config;
    return this.#stopping ? Math.max(0, this.#stoppedAt + shutdownTimeoutMs - performance.now()) : shutdownTimeoutMs;
  }

  #stop(signal: NodeJS.Signals): void {
    if (this.#stopping) {
      this.#log.warn({ signal }, 'exiting at once: what is not committed is read again at the next start');
      process.exit(1);
    }
    this.#stopping = true;
    this.#stoppedAt = performance.now();
    this.#service.stopping();
    const { shutdownTimeoutMs } = this.#config;
    this.#log.info({ signal }, 'stopping: delivering or spooling, and committing, what was read');
    this.#timer = setTimeout(() => {
      this.#log.error('not finished within shutdown_timeout: what is not committed is read again at the next start');
      process.exit(1);
    }, shutdownTimeoutMs);
    this.#agent?.stop();
    this.#pausing.abort();
  }

  #reload(): void {
    if (this.#stopping) return;
    this.#service.reloading(this.#config.shutdownTimeoutMs);
    try {
      const config = this.#load();
      if (config.stateDir !== this.#config.stateDir) {
        throw new AuditailError('RELOAD', 'state_dir cannot change while the agent runs', { hint: 'Restart it' });
      }
      this.#config = config;
      this.#log.info('the configuration is valid: committing what was read before it applies');
      this.#agent?.stop({ forReload: true });
      this.#pausing.abort();
    } catch (error) {
      this.#log.error({ error: describeError(error) }, 'the new configuration is refused, the old one stays');
      if (this.#agent?.hasStarted === true) this.#service.ready();
    }
  }
}
