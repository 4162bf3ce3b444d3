import { name } from '../../config/fields.ts';
import type { Config } from '../../config/types.ts';
import { AuditailError } from '../../errors.ts';
import type { CommandOption } from '../command.ts';

export const CONFIG_OPTION: CommandOption = {
  flags: '-c, --config <file>',
  description: 'the configuration file',
  required: true,
};

export const DRY_RUN_OPTION: CommandOption = {
  flags: '--dry-run',
  description: 'show what would be done, and change nothing',
};

export const JSON_OPTION: CommandOption = {
  flags: '--json',
  description: 'print the same facts as one JSON object',
};

/** A name that the state may have, though the configuration does not. @throws AuditailError `USAGE` */
export function sinkName(text: string): string {
  // It becomes a part of paths.
  if (name('').safeParse(text).success) return text;
  throw new AuditailError('USAGE', `${JSON.stringify(text)} cannot be the name of a sink`);
}

/** Names of the sinks that are meant. @throws AuditailError `USAGE` */
export function chosenSinks({ sinks }: Config, sink: string | undefined): string[] {
  const names = sinks.map((one) => one.name);
  if (sink === undefined) return names;
  if (names.includes(sink)) return [sink];
  throw new AuditailError('USAGE', `the configuration has no sink ${JSON.stringify(sink)}`, {
    hint: `It has: ${names.join(', ')}`,
  });
}

/** The sources that are meant. @throws AuditailError `USAGE` */
export function chosenSources({ sources }: Config, source: string | undefined): Config['sources'] {
  if (source === undefined) return sources;
  const chosen = sources.filter((one) => one.name === source);
  if (chosen.length > 0) return chosen;
  throw new AuditailError('USAGE', `the configuration has no source ${JSON.stringify(source)}`, {
    hint: `It has: ${sources.map((one) => one.name).join(', ')}`,
  });
}
