import type { DeadLetterStore } from '../checkpoint/dead-letter-store.ts';
import type { Config } from '../config/types.ts';
import type { ByteBudget } from '../sink/file/byte-budget.ts';
import type { SinkPlace } from '../source/sink-place.ts';
import type { Source } from '../source/source.ts';
import type { AgentOccurrences } from '../telemetry/agent-occurrences.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import type { AgentState } from './agent-state.ts';
import type { Committer } from './committer.ts';
import type { EventPipeline } from './event-pipeline.ts';
import type { FileSink, HttpEventSink } from './event-sink.ts';
import type { Wake } from './wake.ts';

export interface AgentParts {
  readonly config: Config;
  readonly inputs: readonly { source: Source; pipeline: EventPipeline; occurrences: SourceOccurrences }[];
  /** All sinks as sources see them, in the order of the configuration. */
  readonly places: readonly SinkPlace[];
  readonly fileSinks: readonly FileSink[];
  readonly httpSinks: readonly HttpEventSink[];
  readonly committer: Committer;
  readonly budget: ByteBudget;
  /** Waits until readers may bring more. */
  readonly room: () => Promise<void>;
  readonly occurrences: AgentOccurrences;
  readonly wake: Wake;
  readonly cutDir: string;
  /** Undefined without HTTP sinks. */
  readonly deadLetters: DeadLetterStore | undefined;
  readonly now: () => number;
  /** See `AgentState.elapsed`. */
  readonly elapsed: () => number;
  /** Has the HTTP sinks, and gets what the sources had open, for the next agent. Its owner closes it. */
  readonly state: Pick<AgentState, 'started' | 'logs' | 'httpSinks' | 'commits'>;
}
