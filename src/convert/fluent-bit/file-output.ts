import path from 'node:path';
import { type OutputScope, template } from '../output-scope.ts';
import { applySettings, each, type Fate } from '../settings.ts';

/** Fluent Bit's file output: one file for each tag, or the one that `File` names. */
export function fileOutput(scope: OutputScope): void {
  const { section, keys, context } = scope;
  const { findings } = context;
  const directory = section.param('path');
  const file = section.param('file');
  if (directory === undefined)
    findings.warn(
      section,
      'it has no Path, and Fluent Bit wrote into its working directory; here it is /var/log/auditail',
    );
  const name = file === undefined ? '${tag}' : template(scope, file, 'name');
  keys.set(
    'path',
    path.join(directory === undefined ? '/var/log/auditail' : template(scope, directory, 'name'), name),
    (file ?? directory)?.place,
  );
  keys.set('compress', 'none');
  const format = section.param('format');
  if (format === undefined)
    findings.warn(section, 'Fluent Bit wrote the tag, a colon and an array; here a line is the event alone');
  applySettings(
    section,
    'file',
    {
      ...each(['name', 'match', 'match_regex', 'alias', 'path', 'file'], undefined),
      format: ({ value }): Fate =>
        value === 'plain' ? undefined : { warn: `lines are written as JSON, as they were read, not as ${value}` },
      mkdir: { note: 'directories are made' },
      ...each(['workers', 'retry_limit', 'log_level', 'csv_column_names', 'label_delimiter', 'delimiter'], {
        note: 'lines are written as they were read',
      }),
      template: { warn: 'lines are written as they were read' },
    },
    {},
    findings,
  );
}
