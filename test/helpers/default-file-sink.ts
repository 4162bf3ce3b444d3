import { parseConfig } from '../../src/config/parse-config.ts';
import type { FileSinkConfig } from '../../src/config/types.ts';

/** The file sink of an empty configuration, with changes. */
export function defaultFileSink(changes: Partial<FileSinkConfig>): FileSinkConfig {
  const { sinks } = parseConfig('', { file: 'the default configuration', env: {} });
  const sink = sinks.find((one): one is FileSinkConfig => one.type === 'file');
  if (sink === undefined) throw new Error('the default configuration has no file sink');
  return { ...sink, ...changes };
}
