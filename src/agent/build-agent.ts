import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { ArchiveRecords } from '../checkpoint/archive-records.ts';
import { type Database, openDatabase } from '../checkpoint/database.ts';
import { DeadLetterStore } from '../checkpoint/dead-letter-store.ts';
import { GapRecords } from '../checkpoint/gap-records.ts';
import { StateLock } from '../checkpoint/lock.ts';
import { SegmentRecords } from '../checkpoint/segment-records.ts';
import { Settings } from '../checkpoint/settings.ts';
import { SpoolRecords } from '../checkpoint/spool-records.ts';
import type { Config, FileSinkConfig, HttpSinkConfig } from '../config/types.ts';
import { compilePathTemplate, numberedSibling } from '../route/path-template.ts';
import { ByteBudget } from '../sink/file/byte-budget.ts';
import { CompressionPool } from '../sink/file/compression-pool.ts';
import { FileArchive } from '../sink/file/file-archive.ts';
import { createHttpSink } from '../sink/http/create-http-sink.ts';
import { HttpSink } from '../sink/http/http-sink.ts';
import type { SinkPlace } from '../source/sink-place.ts';
import { Source } from '../source/source.ts';
import { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import { HttpOccurrences } from '../telemetry/http-occurrences.ts';
import { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Agent, type AgentParts } from './agent.ts';
import { Committer } from './committer.ts';
import { EventPipeline } from './event-pipeline.ts';
import { EventRules } from './event-rules.ts';
import type { EventSink, FileSink, HttpEventSink } from './event-sink.ts';
import { tailLimit } from './tail-limit.ts';
import { Wake } from './wake.ts';

/**
 * The composition root: makes an agent of a checked configuration. It takes the state directory's lock and opens the
 * state; the agent lets go of both when its run ends, however it ends.
 *
 * @throws AuditailError `STATE_LOCKED`, `STATE_CORRUPT` and the like
 */
export function buildAgent(config: Config, telemetry: Telemetry): Agent {
  return new Agent(buildParts(config, telemetry));
}

/** The parts of an agent, for who drives them step by step. Their `release` lets go of the state. */
export function buildParts(config: Config, telemetry: Telemetry): AgentParts {
  using opened = new DisposableStack();
  opened.adopt(StateLock.acquire(config.stateDir), (lock) => lock.release());
  const { durability } = config.commit;
  const db = opened.adopt(openDatabase(config.stateDir, durability), (open) => open.close());
  const openLetters = () => opened.adopt(DeadLetterStore.open(config.stateDir, durability), (store) => store.close());
  const parts = assemble(config, telemetry, db, openLetters);
  const held = opened.move();
  return { ...parts, release: () => held.dispose() };
}

/** What the parts of one agent share. */
interface Shared {
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly db: Database;
  readonly archives: ArchiveRecords;
  readonly segments: SegmentRecords;
  readonly spools: SpoolRecords;
  readonly budget: ByteBudget;
  /** Bytes that each HTTP sink may hold in memory. */
  readonly share: number;
  readonly occurrences: AgentOccurrences;
  readonly now: () => number;
}

function assemble(
  config: Config,
  telemetry: Telemetry,
  db: Database,
  openLetters: () => DeadLetterStore,
): Omit<AgentParts, 'release'> {
  // Each sink has an equal share of the memory; the archives have theirs together.
  const share = Math.floor(config.memoryLimit / config.sinks.length);
  const httpSinkCount = config.sinks.filter(({ type }) => type === 'http').length;
  const wake = new Wake();
  const shared: Shared = {
    config,
    telemetry,
    db,
    archives: new ArchiveRecords(db),
    segments: new SegmentRecords(db),
    spools: new SpoolRecords(db),
    budget: new ByteBudget(config.memoryLimit - share * httpSinkCount),
    share,
    occurrences: new AgentOccurrences(telemetry),
    now: Date.now,
  };
  const cutDir = path.join(config.stateDir, 'cut');
  const newArchive = archiveBuilder(shared, cutDir);
  let letters: DeadLetterStore | undefined;
  const newHttpSink = (sink: HttpSinkConfig) => {
    letters ??= openLetters();
    const occurrences = new HttpOccurrences(telemetry, sink.name);
    const target = createHttpSink(sink, {
      ...shared,
      occurrences,
      deadLetters: letters,
      stateDir: config.stateDir,
      durability: config.commit.durability,
      wake: () => wake.wake(),
    });
    return { target, occurrences };
  };
  const sinks = config.sinks.map((sink, index) =>
    sink.type === 'file'
      ? { index, config: sink, target: newArchive(sink) }
      : { index, config: sink, ...newHttpSink(sink) },
  );
  const fileSinks = sinks.filter((sink): sink is FileSink => sink.config.type === 'file');
  const httpSinks = sinks.filter((sink): sink is HttpEventSink => sink.config.type === 'http');
  // The committer cuts through the sources, and a source may ask it for a commit.
  const sources: Source[] = [];
  const committer = new Committer({
    ...shared,
    config: config.commit,
    sources,
    fileSinks,
    httpSinks,
    wake: () => wake.wake(),
  });
  for (const { target } of fileSinks) target.onFailure((error) => committer.fail(error));
  const places = sinks.map(({ config: { name }, target }) => ({
    name,
    pace: target instanceof HttpSink ? target : undefined,
  }));
  const inputs = buildInputs(shared, sinks, places, committer);
  sources.push(...inputs.map(({ source }) => source));
  const { budget, occurrences, now } = shared;
  return {
    config,
    inputs,
    places,
    fileSinks,
    httpSinks,
    committer,
    budget,
    occurrences,
    wake,
    cutDir,
    deadLetters: letters,
    now,
  };
}

function archiveBuilder(shared: Shared, cutDir: string): (sink: FileSinkConfig) => FileArchive {
  const { config, telemetry, archives: records, db, budget, now } = shared;
  const pool = new CompressionPool(config.threads);
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
  sinks: readonly EventSink[],
  places: readonly SinkPlace[],
  committer: Committer,
): AgentParts['inputs'] {
  const { config, telemetry, db, segments: records, budget, occurrences, now } = shared;
  const rules = new EventRules(config, sinks, now);
  return config.sources.map((source) => {
    const sourceOccurrences = new SourceOccurrences(telemetry, source.name);
    const pipeline = new EventPipeline(source, {
      reader: rules.newReader(),
      rewriter: rules.rewriter,
      router: rules.router,
      occurrences,
      sourceOccurrences,
      room: () => Promise.race([budget.whenBelow(), committer.failed]),
      now,
    });
    const reading = new Source(source, {
      records,
      gaps: new GapRecords(db),
      occurrences: sourceOccurrences,
      handler: pipeline,
      sinks: places,
      commit: () => committer.commit(),
      requestCommit: () => committer.request(),
      now,
    });
    return { source: reading, pipeline, occurrences: sourceOccurrences };
  });
}
