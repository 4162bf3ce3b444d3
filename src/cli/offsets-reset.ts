import { existsSync } from 'node:fs';
import path from 'node:path';
import { statePath } from '../checkpoint/database.ts';
import { loadConfig } from '../config/load-config.ts';
import { AuditailError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Command, ExitCode } from './command.ts';
import { counted, formatBytes } from './format/quantity.ts';
import { CONFIG_OPTION, chosenSinks, chosenSources, DRY_RUN_OPTION, JSON_OPTION } from './offsets/options.ts';
import { parseResetTarget, planReset, type ResetTarget } from './offsets/plan-reset.ts';
import { changesJson, describeEffect, printChanges } from './offsets/report-changes.ts';
import { withState } from './offsets/state-access.ts';
import { stateMissing } from './offsets/state-missing.ts';
import { effectOf, type FileChange, storeChanges } from './offsets/store-changes.ts';
import type { Terminal } from './terminal.ts';

interface ResetOptions {
  readonly config: string;
  readonly source?: string;
  readonly stream?: string;
  readonly file?: string;
  readonly sink?: string;
  readonly to: ResetTarget;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export const offsetsReset: Command<ResetOptions> = {
  name: 'offsets reset',
  summary: 'set where sinks go on in a log',
  description:
    'Sets the place of sinks in the files of a log, while the agent is stopped: all that are there, those of one ' +
    'log with --stream, or one file with --file, which may be a rotated or gzipped part. Backwards, the lines are taken ' +
    'once more: they come twice in the files of a file sink. Forwards, the lines between are never taken. Both need --yes. ' +
    "What is in an HTTP sink's spool is sent all the same. Files that are gone are left alone.",
  example:
    'auditail offsets reset -c /etc/auditail/auditail.yaml --sink es --to head --dry-run\n' +
    'auditail offsets reset -c auditail.yaml --stream /var/log/kubernetes/audit/audit.log --to tail --yes\n' +
    'auditail offsets reset -c auditail.yaml --file /var/log/kubernetes/audit/audit-2026-11-20T15-04-05.000.log.gz --to 52428800',
  options: [
    CONFIG_OPTION,
    {
      flags: '--to <place>',
      description: 'head, tail, or an offset in uncompressed bytes at which a line begins (with --file)',
      required: true,
      parse: parseResetTarget,
    },
    { flags: '--source <name>', description: 'only the logs of this source' },
    { flags: '--stream <path>', description: 'only the log whose live file this is, with its rotated parts' },
    { flags: '--file <path>', description: 'only this file' },
    { flags: '--sink <name>', description: 'only this sink' },
    { flags: '--yes', description: 'do it though lines come twice in files, or are never taken' },
    DRY_RUN_OPTION,
    JSON_OPTION,
  ],
  async handler({ options, terminal }): Promise<ExitCode> {
    if (typeof options.to === 'number' && options.file === undefined) {
      throw new AuditailError('USAGE', 'an offset is a place in one file', { hint: 'Name it with --file' });
    }
    const config = loadConfig(options.config, { env: terminal.env });
    const sinks = chosenSinks(config, options.sink);
    const sources = chosenSources(config, options.source);
    if (!existsSync(statePath(config.stateDir))) throw stateMissing(config.stateDir);
    const dryRun = options.dryRun === true;
    return withState(config.stateDir, { dryRun }, async (state): Promise<ExitCode> => {
      const { changes, gone } = await planReset({
        db: state.db,
        config,
        sources,
        sinks,
        to: options.to,
        stream: options.stream === undefined ? undefined : path.resolve(options.stream),
        file: options.file === undefined ? undefined : path.resolve(options.file),
      });
      const moved = changes.filter(isMoved);
      const refusal = dryRun || options.yes === true ? undefined : needsYes(moved);
      const isStored = !dryRun && refusal === undefined && moved.length > 0;
      if (isStored) state.write((db) => storeChanges(db, moved));
      if (options.json === true) {
        const result = { state: statePath(config.stateDir), stored: isStored, gone, files: changesJson(changes) };
        terminal.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      } else {
        print(moved, { unmoved: changes.length - moved.length, gone, isStored }, terminal);
      }
      if (refusal !== undefined) throw refusal;
      return 0;
    });
  },
};

function isMoved({ sinks }: FileChange): boolean {
  return sinks.some(({ before, after }) => before !== after);
}

/** @returns what keeps it from being done without being asked for twice */
function needsYes(changes: readonly FileChange[]): AuditailError | undefined {
  const totals = { twice: 0, skipped: 0 };
  for (const sink of changes.flatMap(({ sinks }) => sinks)) {
    const { again, skipped } = effectOf(sink);
    totals.twice += sink.type === 'file' ? again : 0;
    totals.skipped += skipped;
  }
  const reasons = [
    ...(totals.twice > 0 ? [`${formatBytes(totals.twice)} of lines would come twice in the files of file sinks`] : []),
    ...(totals.skipped > 0 ? [`sinks would never get ${formatBytes(totals.skipped)} of lines`] : []),
  ];
  if (reasons.length === 0) return undefined;
  return new AuditailError('USAGE', `nothing was changed: ${reasons.join(', and ')}`, {
    hint: 'If that is what you want, add --yes',
  });
}

function print(
  changes: readonly FileChange[],
  { unmoved, gone, isStored }: { unmoved: number; gone: readonly string[]; isStored: boolean },
  terminal: Terminal,
): void {
  printChanges(changes, { head: 'effect', of: (_, sink) => describeEffect(sink) }, terminal);
  const { stdout } = terminal;
  if (unmoved > 0) stdout.write(`${counted(unmoved, 'file')} with nothing to change\n`);
  if (gone.length > 0) stdout.write(printable(`left alone, because they are gone: ${gone.join(', ')}\n`));
  if (isStored) stdout.write('stored: the agent goes on there at its next start\n');
  else stdout.write('nothing was changed\n');
}
