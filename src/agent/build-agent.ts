import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { ArchiveRecords } from '../checkpoint/archive-records.ts';
import { type Database, openDatabase } from '../checkpoint/database.ts';
import { GapRecords } from '../checkpoint/gap-records.ts';
import { StateLock } from '../checkpoint/lock.ts';
import { SegmentRecords } from '../checkpoint/segment-records.ts';
import { Settings } from '../checkpoint/settings.ts';
import type { Config, SourceConfig } from '../config/types.ts';
import { compilePathTemplate, numberedSibling } from '../route/path-template.ts';
import { ByteBudget } from '../sink/file/byte-budget.ts';
import { CompressionPool } from '../sink/file/compression-pool.ts';
import { FileArchive } from '../sink/file/file-archive.ts';
import { Source } from '../source/source.ts';
import { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Agent } from './agent.ts';
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

function assemble(config: Config, telemetry: Telemetry, db: Database, release: () => void): Agent {
  const now = Date.now;
  const records = { archives: new ArchiveRecords(db), segments: new SegmentRecords(db), gaps: new GapRecords(db) };
  const budget = new ByteBudget(config.memoryLimit);
  const occurrences = new AgentOccurrences(telemetry);
  const wake = new Wake();
  const cutDir = path.join(config.stateDir, 'cut');
  const sinks = buildSinks(config, {
    cutDir,
    make: (sink, own) => {
      const paths = compilePathTemplate(sink.path, sink.timezone);
      const shared = { records: records.archives, budget, telemetry, now, durability: config.commit.durability };
      return new FileArchive(sink, { ...shared, pool, paths, sibling: numberedSibling, ...own });
    },
    tailLimit: tailLimit(config, new Settings(db)),
  });
  const pool = new CompressionPool(config.threads);
  const rules = new EventRules(config, sinks, now);
  const inputs = config.sources.map((source) => {
    const sourceOccurrences = new SourceOccurrences(telemetry, source.name);
    const pipeline = buildPipeline(source);
    return { source: buildSource(source, pipeline, sourceOccurrences), pipeline, occurrences: sourceOccurrences };
  });
  const committer = new Committer({
    db,
    segments: records.segments,
    archives: records.archives,
    sources: inputs.map(({ source }) => source),
    sinks,
    config: config.commit,
    occurrences,
    wake: () => wake.wake(),
    now,
  });
  for (const { archive } of sinks) archive.onFailure((error) => committer.fail(error));
  return new Agent({ config, inputs, sinks, committer, budget, occurrences, wake, cutDir, now, release });

  function buildPipeline(source: SourceConfig): EventPipeline {
    return new EventPipeline(source, {
      reader: rules.newReader(),
      rewriter: rules.rewriter,
      router: rules.router,
      occurrences,
      sourceOccurrences: new SourceOccurrences(telemetry, source.name),
      room: () => Promise.race([budget.whenBelow(), committer.failed]),
      now,
    });
  }

  function buildSource(source: SourceConfig, handler: EventPipeline, sourceOccurrences: SourceOccurrences): Source {
    return new Source(source, {
      records: records.segments,
      gaps: records.gaps,
      occurrences: sourceOccurrences,
      handler,
      sinks: sinks.map((sink) => sink.config.name),
      commit: () => committer.commit(),
      requestCommit: () => committer.request(),
      now,
    });
  }
}

function buildSinks(
  config: Config,
  options: {
    cutDir: string;
    tailLimit: number;
    make: (sink: Config['sinks'][number], own: { cutDir: string; tailLimit: number }) => FileArchive;
  },
): FileSink[] {
  mkdirSync(options.cutDir, { recursive: true, mode: 0o700 });
  return config.sinks.map((sink, index) => {
    const own = { cutDir: path.join(options.cutDir, sink.name), tailLimit: options.tailLimit };
    return { index, config: sink, archive: options.make(sink, own) };
  });
}
