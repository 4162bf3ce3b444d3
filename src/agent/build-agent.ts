import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { ArchiveRecords } from '../checkpoint/archive-records.ts';
import { type Database, openDatabase } from '../checkpoint/database.ts';
import { GapRecords } from '../checkpoint/gap-records.ts';
import { StateLock } from '../checkpoint/lock.ts';
import { SegmentRecords } from '../checkpoint/segment-records.ts';
import { Settings } from '../checkpoint/settings.ts';
import type { Config } from '../config/types.ts';
import { compilePathTemplate, numberedSibling } from '../route/path-template.ts';
import { ByteBudget } from '../sink/file/byte-budget.ts';
import { CompressionPool } from '../sink/file/compression-pool.ts';
import { FileArchive } from '../sink/file/file-archive.ts';
import { Source } from '../source/source.ts';
import { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Agent, type AgentParts } from './agent.ts';
import { Committer } from './committer.ts';
import { EventPipeline } from './event-pipeline.ts';
import { EventRules } from './event-rules.ts';
import type { FileSink } from './file-sink.ts';
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
  const lock = StateLock.acquire(config.stateDir);
  let db: Database | undefined;
  try {
    db = openDatabase(config.stateDir, config.commit.durability);
    return assemble(config, telemetry, db, () => {
      db?.close();
      lock.release();
    });
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
}

/** What the parts of one agent share. */
interface Shared {
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly db: Database;
  readonly archives: ArchiveRecords;
  readonly segments: SegmentRecords;
  readonly budget: ByteBudget;
  readonly occurrences: AgentOccurrences;
  readonly now: () => number;
}

function assemble(config: Config, telemetry: Telemetry, db: Database, release: () => void): AgentParts {
  const shared: Shared = {
    config,
    telemetry,
    db,
    archives: new ArchiveRecords(db),
    segments: new SegmentRecords(db),
    budget: new ByteBudget(config.memoryLimit),
    occurrences: new AgentOccurrences(telemetry),
    now: Date.now,
  };
  const cutDir = path.join(config.stateDir, 'cut');
  const sinks = buildSinks(shared, cutDir);
  const wake = new Wake();
  // The committer cuts through the sources, and a source may ask it for a commit.
  const sources: Source[] = [];
  const committer = new Committer({ ...shared, config: config.commit, sources, sinks, wake: () => wake.wake() });
  for (const { archive } of sinks) archive.onFailure((error) => committer.fail(error));
  const inputs = buildInputs(shared, sinks, committer);
  sources.push(...inputs.map(({ source }) => source));
  const { budget, occurrences, now } = shared;
  return { config, inputs, sinks, committer, budget, occurrences, wake, cutDir, now, release };
}

function buildSinks(shared: Shared, cutDir: string): FileSink[] {
  const { config, telemetry, archives: records, db, budget, now } = shared;
  const pool = new CompressionPool(config.threads);
  const limit = tailLimit(config, new Settings(db));
  mkdirSync(cutDir, { recursive: true, mode: 0o700 });
  const fileSinks = config.sinks.filter((sink) => sink.type === 'file');
  return fileSinks.map((sink, index) => {
    const archive = new FileArchive(sink, {
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
    return { index, config: sink, archive };
  });
}

function buildInputs(shared: Shared, sinks: readonly FileSink[], committer: Committer): AgentParts['inputs'] {
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
      sinks: sinks.map((sink) => sink.config.name),
      commit: () => committer.commit(),
      requestCommit: () => committer.request(),
      now,
    });
    return { source: reading, pipeline, occurrences: sourceOccurrences };
  });
}
