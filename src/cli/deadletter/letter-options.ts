import type { CommandOption } from '../command.ts';

export const CONFIG_OPTION: CommandOption = {
  flags: '-c, --config <file>',
  description: 'the configuration file',
  required: true,
};

export const SINK_OPTION: CommandOption = { flags: '--sink <name>', description: 'only the letters of this sink' };

export const IDS_OPTION: CommandOption = {
  flags: '--id <id...>',
  description: 'only these letters, by the ids that deadletter list shows',
};

/** Reads a whole number above 0. */
export function parsePositive(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || !Number.isSafeInteger(number)) {
    throw new Error('expected a whole number above 0');
  }
  return number;
}
