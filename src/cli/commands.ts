import type { Command } from './command.ts';

/**
 * All commands by name, in the order in which help lists them. Each is loaded when it is asked for: all of them together
 * take a third of a second of CPU and 60 MB, which an agent that only runs should not have to pay.
 */
const LOADERS: ReadonlyMap<string, () => Promise<Command>> = new Map(
  Object.entries({
    run: async () => (await import('./run.ts')).run,
    'dry-run': async () => (await import('./dry-run.ts')).dryRun,
    check: async () => (await import('./check.ts')).check,
    status: async () => (await import('./status.ts')).status,
    top: async () => (await import('./top.ts')).top,
    convert: async () => (await import('./convert.ts')).convert,
    'offsets list': async () => (await import('./offsets-list.ts')).offsetsList,
    'offsets reset': async () => (await import('./offsets-reset.ts')).offsetsReset,
    'offsets import': async () => (await import('./offsets-import.ts')).offsetsImport,
    'offsets rename-sink': async () => (await import('./offsets-rename-sink.ts')).offsetsRenameSink,
    'offsets forget-sink': async () => (await import('./offsets-forget-sink.ts')).offsetsForgetSink,
    'deadletter list': async () => (await import('./deadletter-list.ts')).deadletterList,
    'deadletter resend': async () => (await import('./deadletter-resend.ts')).deadletterResend,
    'deadletter drop': async () => (await import('./deadletter-drop.ts')).deadletterDrop,
  }),
);

/** What help says of the groups that commands such as `offsets list` stand in. */
export const GROUPS: Readonly<Record<string, string>> = {
  offsets: 'what each sink has taken of each log',
  deadletter: 'the events that receivers rejected',
};

/** The command that a command line begins with; all commands where it begins with none, as for help and suggestions. */
export async function commandsFor(line: readonly string[]): Promise<readonly Command[]> {
  const load = LOADERS.get(line.slice(0, 1).join(' ')) ?? LOADERS.get(line.slice(0, 2).join(' '));
  if (load !== undefined) return [await load()];
  return Promise.all([...LOADERS.values()].map((one) => one()));
}
