import type { Agent } from '../agent/agent.ts';
import type { FileSink, HttpEventSink } from '../agent/event-sink.ts';
import { packageVersion } from '../package-version.ts';
import type { RecentTroubles, Trouble } from '../telemetry/recent-troubles.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AdminView } from './admin-view.ts';
import {
  type AgentStatus,
  type DirectoryStatus,
  type FileSinkStatus,
  type HttpSinkStatus,
  STATUS_VERSION,
  type TroubleStatus,
} from './agent-status.ts';
import { type DiskSpace, diskSpace } from './disk-space.ts';
import { isoTime } from './iso-time.ts';
import { Refreshed } from './refreshed.ts';
import { SourceLook } from './source-status.ts';
import { StatusMetrics } from './status-metrics.ts';

/** A loop that is later than this hangs, in the program or in a call to a disk: a restart loses nothing and may help. */
const DEAD_AFTER_MS = 120_000;

/** File systems may hang, and answers about free space need not be new. */
const SPACE_MAX_AGE_MS = 5_000;
const SPACE_WAIT_MS = 1_000;

/** Looks at a running agent from outside, for the admin listener. */
export class AgentLook implements AdminView {
  readonly #agent: Agent;
  readonly #telemetry: Telemetry;
  readonly #troubles: RecentTroubles;
  readonly #sources: readonly SourceLook[];
  readonly #spaces = new Map<string, Refreshed<DiskSpace>>();
  readonly #gauges: StatusMetrics;
  readonly #version = packageVersion();
  #looking: Promise<AgentStatus> | undefined;

  constructor(agent: Agent, telemetry: Telemetry, troubles: RecentTroubles) {
    this.#agent = agent;
    this.#telemetry = telemetry;
    this.#troubles = troubles;
    const { inputs, places, fileSinks, config, now } = agent.parts;
    this.#sources = inputs.map(({ source }) => new SourceLook(source, places, now));
    const directories = [config.stateDir, ...fileSinks.map(({ target }) => target.directory)];
    for (const directory of directories) {
      const options = { maxAgeMs: SPACE_MAX_AGE_MS, waitMs: SPACE_WAIT_MS };
      this.#spaces.set(directory, new Refreshed(() => diskSpace(directory), options));
    }
    this.#gauges = new StatusMetrics(telemetry, troubles);
  }

  dead(): string | undefined {
    const { phase, lateMs } = this.#agent.pulse;
    // A start may inspect a large archive or spool; who starts it has a time limit for that.
    if (phase === 'starting' || lateMs < DEAD_AFTER_MS) return undefined;
    return `the loop has not turned for ${Math.round(lateMs / 1000)} s`;
  }

  async unready(): Promise<readonly string[]> {
    const { phase, hasSwept, failures } = this.#agent.pulse;
    if (phase === 'stopping') return ['the agent is stopping'];
    if (phase === 'reloading') return ['a new configuration is about to apply'];
    if (phase === 'starting' || !hasSwept) return ['the agent is starting'];
    const dead = this.dead();
    const troubles = await Promise.all(this.#sources.map((source) => source.trouble()));
    return [
      ...(dead === undefined ? [] : [dead]),
      ...(failures > 0 ? ['writing the archive or the state fails: the agent goes back to its last commit'] : []),
      ...troubles.filter((trouble) => trouble !== undefined),
    ];
  }

  /** Who asks while a look is under way gets that one: many clients cost what one costs. */
  status(): Promise<AgentStatus> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async metrics(): Promise<string> {
    this.#gauges.set(await this.status());
    return this.#telemetry.registry.metrics();
  }

  async #look(): Promise<AgentStatus> {
    const { config, fileSinks, httpSinks, committer, budget } = this.#agent.parts;
    const files = await Promise.all(fileSinks.map((sink) => this.#fileSink(sink)));
    const state = await this.#directory(config.stateDir);
    const sources = await Promise.all(this.#sources.map((source) => source.status()));
    const sinks = new Map(
      [...files, ...httpSinks.map((sink) => this.#httpSink(sink))].map((sink) => [sink.name, sink]),
    );
    return {
      version: STATUS_VERSION,
      program: `auditail ${this.#version}`,
      pid: process.pid,
      time: new Date().toISOString(),
      phase: this.#agent.pulse.phase,
      unready: await this.unready(),
      sources,
      sinks: config.sinks.flatMap(({ name }) => sinks.get(name) ?? []),
      commits: { completed: committer.completed, failures_in_a_row: this.#agent.pulse.failures },
      memory: { resident_bytes: process.memoryUsage.rss(), archive_bytes_in_flight: budget.used },
      state,
      troubles: this.#troubles.list().map(troubleStatus),
    };
  }

  async #fileSink({ config: { name }, target }: FileSink): Promise<FileSinkStatus> {
    return { name, type: 'file', open_files: target.openFiles, ...(await this.#directory(target.directory)) };
  }

  #httpSink({ config, occurrences }: HttpEventSink): HttpSinkStatus {
    const { name, format, url, spool, deadletter } = config;
    const { receiver, isSpooling, queueBytes, spoolEvents, spoolBytes } = occurrences.standing;
    const isBehind = this.#sources.some((source) => source.sinksBehind().includes(name));
    const letters = this.#agent.parts.deadLetters?.total(name);
    const lastError = this.#troubles.list().find(({ sink }) => sink === name);
    return {
      name,
      type: 'http',
      format,
      origin: new URL(url.reveal()).origin,
      state: receiver === 'blocked' ? 'blocked' : isBehind ? 'behind' : isSpooling ? 'spooling' : 'direct',
      receiver,
      queue_bytes: queueBytes,
      spool: { events: spoolEvents, bytes: spoolBytes, max_bytes: spool.maxBytes },
      dead_letters: { events: letters?.events ?? 0, bytes: letters?.bytes ?? 0, max_bytes: deadletter.maxBytes },
      last_error: lastError === undefined ? null : troubleStatus(lastError),
    };
  }

  async #directory(directory: string): Promise<DirectoryStatus> {
    const space = await this.#spaces.get(directory)?.get();
    return { directory, free_bytes: space?.free ?? null, size_bytes: space?.size ?? null };
  }
}

function troubleStatus({ level, message, sink, source, fields, firstAt, lastAt, count }: Trouble): TroubleStatus {
  return {
    level,
    message,
    sink: sink ?? null,
    source: source ?? null,
    fields,
    first: isoTime(firstAt)!,
    last: isoTime(lastAt)!,
    count,
  };
}
