import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { GapRecords } from '../checkpoint/gap-records.ts';
import { Settings } from '../checkpoint/settings.ts';
import type { Config, FileSinkConfig } from '../config/types.ts';
import { compilePathTemplate, numberedSibling } from '../route/path-template.ts';
import { ByteBudget } from '../sink/file/byte-budget.ts';
import { CompressionPool } from '../sink/file/compression-pool.ts';
import { FileArchive } from '../sink/file/file-archive.ts';
import { HttpSink } from '../sink/http/http-sink.ts';
import { Source } from '../source/source.ts';
import { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import { Agent } from './agent.ts';
import type { AgentParts } from './agent-parts.ts';
import type { AgentState } from './agent-state.ts';
import { Committer } from './committer.ts';
import { EventPipeline } from './event-pipeline.ts';
import { EventRules } from './event-rules.ts';
import type { EventSink, FileSink, HttpEventSink } from './event-sink.ts';
import { tailLimit } from './tail-limit.ts';

/**
 * The composition root: makes an agent of a checked configuration.
 *
 * @param state of no other agent that runs, after {@link AgentState.letGo} for this configuration. It is its owner's to close.
 */
export function buildAgent(config: Config, state: AgentState): Agent {
  return new Agent(buildParts(config, state));
}

/** The parts of an agent, for who drives them step by step. */
export function buildParts(config: Config, state: AgentState): AgentParts {
  // Each sink has an equal share of the memory; the archives have theirs together.
  const share = Math.floor(config.memoryLimit / config.sinks.length);
  const httpSinkCount = config.sinks.filter(({ type }) => type === 'http').length;
  const shared: Shared = {
    config,
    state,
    budget: new ByteBudget(config.memoryLimit - share * httpSinkCount),
    pool: new CompressionPool(config.threads),
    occurrences: new AgentOccurrences(state.telemetry),
  };
  const { durability } = config.commit;
  const cutDir = path.join(config.stateDir, 'cut');
  const newArchive = archiveBuilder(shared, cutDir);
  const sinks = config.sinks.map((sink, index) =>
    sink.type === 'file'
      ? { index, config: sink, target: newArchive(sink) }
      : { index, config: sink, ...state.httpSinks.get(sink, { durability, share }) },
  );
  const fileSinks = sinks.filter((sink): sink is FileSink => sink.config.type === 'file');
  const httpSinks = sinks.filter((sink): sink is HttpEventSink => sink.config.type === 'http');
  // The committer cuts through the sources, and a source may ask it for a commit.
  const sources: Source[] = [];
  const { db, archives, segments, spools, wake, now, elapsed } = state;
  const committer = new Committer({
    ...shared,
    db,
    archives,
    segments,
    spools,
    config: config.commit,
    sources,
    fileSinks,
    httpSinks,
    wake: () => wake.wake(),
    now,
    elapsed,
  });
  committer.completed = state.commits;
  for (const { target } of fileSinks) target.onFailure((error) => committer.fail(error));
  const places = sinks.map(({ config: { name }, target }) => ({
    name,
    pace: target instanceof HttpSink ? target : undefined,
  }));
  const { budget, pool } = shared;
  // Bytes in flight of a failed write are only given back by the rewind.
  const room = () => committer.orFailure(Promise.all([budget.whenBelow(), pool.whenShort()]));
  const inputs = buildInputs(shared, { sinks, places, committer, room });
  sources.push(...inputs.map(({ source }) => source));
  const deadLetters = httpSinks.length > 0 ? state.deadLetters : undefined;
  return { ...shared, inputs, places, fileSinks, httpSinks, committer, room, cutDir, deadLetters, wake, now, elapsed };
}

/** What the parts of one agent share. */
interface Shared {
  readonly config: Config;
  readonly state: AgentState;
  readonly budget: ByteBudget;
  readonly pool: CompressionPool;
  readonly occurrences: AgentOccurrences;
}

function archiveBuilder(shared: Shared, cutDir: string): (sink: FileSinkConfig) => FileArchive {
  const { config, budget, pool } = shared;
  const { telemetry, archives: records, db, now } = shared.state;
  const limit = tailLimit(config, new Settings(db));
  mkdirSync(cutDir, { recursive: true, mode: 0o700 });
  return (sink) =>
    new FileArchive(sink, {
      records,
      budget,
      pool,
      telemetry,
      now,
      durability: config.commit.durability,
      cutDir: path.join(cutDir, sink.name),
      tailLimit: limit,
      paths: compilePathTemplate(sink.path, sink.timezone),
      sibling: numberedSibling,
    });
}

function buildInputs(
  shared: Shared,
  {
    sinks,
    places,
    committer,
    room,
  }: Pick<AgentParts, 'places' | 'committer' | 'room'> & { sinks: readonly EventSink[] },
): AgentParts['inputs'] {
  const { config, occurrences } = shared;
  const { telemetry, db, segments: records, logs, now, elapsed } = shared.state;
  const rules = new EventRules(config, sinks, now);
  return config.sources.map((source) => {
    const sourceOccurrences = new SourceOccurrences(telemetry, source.name);
    const pipeline = new EventPipeline(source, {
      reader: rules.newReader(),
      rewriter: rules.rewriter,
      router: rules.router,
      occurrences,
      sourceOccurrences,
      room,
      now,
    });
    const reading = new Source(source, {
      records,
      gaps: new GapRecords(db),
      occurrences: sourceOccurrences,
      handler: pipeline,
      sinks: places,
      held: logs.of(source),
      commit: () => committer.commit(),
      requestCommit: () => committer.request(),
      now,
      elapsed,
    });
    return { source: reading, pipeline, occurrences: sourceOccurrences };
  });
}
