import type { Config } from '../../config/types.ts';
import { compilePathTemplate } from '../../route/path-template.ts';
import { isWritableByAll, unwritableDirectory } from './access.ts';
import type { Warning } from './warning.ts';

/** What the agent could not write to, and where others could write what it takes for its own. */
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
    if (reason !== undefined) return [{ path, message: `${directory} cannot be created or written to (${reason})` }];
    if (!isWritableByAll(directory)) return [];
    return [{ path, message: `every user of this host may write to ${directory}; chmod o-w closes it` }];
  });
}
