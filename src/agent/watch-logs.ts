import { DirectoryWatcher } from '../source/watcher.ts';
import type { AgentParts } from './agent.ts';

/** Lets hints of changed logs wake the loop. @param names called for those that ask for a sweep. */
export function watchLogs({ inputs, wake }: Pick<AgentParts, 'inputs' | 'wake'>, names: () => void): DirectoryWatcher {
  return new DirectoryWatcher(
    (hint) => {
      if (hint === 'names') names();
      for (const { source } of inputs) source.hint();
      wake.wake();
    },
    (error) => {
      for (const { occurrences } of inputs) occurrences.watchFailed(error);
    },
  );
}
