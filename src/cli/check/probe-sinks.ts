import type { Config, HttpSinkConfig } from '../../config/types.ts';
import { describeError } from '../../errors.ts';

/** Asks a receiver whether it is reachable, trusted and authorised, and stores nothing there. */
export type SinkProbe = (sink: HttpSinkConfig) => Promise<{ readonly ok: boolean; readonly finding: string }>;

export interface ProbeFinding {
  readonly sink: string;
  readonly ok: boolean;
  /** One sentence. */
  readonly finding: string;
}

/** Asks all receivers of a configuration at the same time; the findings stand in the order of the sinks. */
export async function probeSinks({ sinks }: Config, probe: SinkProbe): Promise<ProbeFinding[]> {
  const asked = sinks.map(async (sink): Promise<ProbeFinding[]> => {
    if (sink.type !== 'http') return [];
    try {
      const { ok, finding } = await probe(sink);
      return [{ sink: sink.name, ok, finding }];
    } catch (error) {
      return [{ sink: sink.name, ok: false, finding: describeError(error) }];
    }
  });
  return (await Promise.all(asked)).flat();
}
