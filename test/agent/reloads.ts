import type { Config, SinkConfig } from '../../src/config/types.ts';

/** Changes that leave the receiver of a `LogWorld` as it is. */
export const QUIET_RELOADS = [
  'nothing',
  'one source fewer',
  'one archive fewer',
  'other order',
  'less memory',
] as const;

export const RELOADS = [...QUIET_RELOADS, 'other batches', 'no receiver', 'other durability'] as const;

/** The configuration of a `LogWorld` with a change. */
export function reloaded(config: Config, change: (typeof RELOADS)[number]): Config {
  const without = (name: string) => ({ ...config, sinks: config.sinks.filter((sink) => sink.name !== name) });
  switch (change) {
    case 'nothing':
      return structuredCopy(config);
    case 'one source fewer':
      return { ...config, sources: config.sources.filter(({ name }) => name !== 'many') };
    case 'one archive fewer':
      return without('some');
    case 'other order':
      return { ...config, sinks: config.sinks.toReversed(), sources: config.sources.toReversed() };
    case 'less memory':
      return { ...config, memoryLimit: config.memoryLimit / 4 };
    case 'other batches':
      return { ...config, sinks: config.sinks.map(withOtherBatches) };
    case 'no receiver':
      return without('receiver');
    case 'other durability':
      return { ...config, commit: { ...config.commit, durability: 'disk' } };
  }
}

/** Equal, and not the same: as after the file was read again. */
function structuredCopy(config: Config): Config {
  return {
    ...config,
    sinks: config.sinks.map((sink) => ({ ...sink })),
    sources: config.sources.map((one) => ({ ...one })),
  };
}

function withOtherBatches(sink: SinkConfig): SinkConfig {
  return sink.type === 'http' ? { ...sink, batch: { ...sink.batch, events: sink.batch.events + 1 } } : sink;
}
