import type { Param } from './section.ts';
import type { Fate } from './settings.ts';

/** What is said of the parameter that names a file with positions: the command that takes them over. */
export function takeOver(agent: 'fluentd' | 'fluent-bit'): (param: Param) => Fate {
  return ({ value }) => ({
    note:
      'the place in each log is kept in state_dir; when the other agent is stopped, take it over with: ' +
      `auditail offsets import -c FILE --from ${agent} ${shellWord(value)}`,
  });
}

function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
