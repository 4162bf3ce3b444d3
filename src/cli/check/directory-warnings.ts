import type { Config } from '../../config/types.ts';
import { compilePathTemplate } from '../../route/path-template.ts';
import { unwritableDirectory } from './access.ts';
import type { Warning } from './warning.ts';

/** What the agent could not write to. */
export function directoryWarnings(config: Config): Warning[] {
  const directories = [
    { path: ['state_dir'], directory: config.stateDir },
    ...config.sinks.flatMap((sink, index) => {
      if (sink.type !== 'file') return [];
      const { directory } = compilePathTemplate(sink.path, sink.timezone);
      return [{ path: ['sinks', index, 'path'], directory }];
    }),
  ];
  return directories.flatMap(({ path, directory }) => {
    const reason = unwritableDirectory(directory);
    return reason === undefined ? [] : [{ path, message: `${directory} cannot be created or written to (${reason})` }];
  });
}
