import { existsSync } from 'node:fs';
import { openDatabaseForRename, statePath } from '../checkpoint/database.ts';
import { type SinkNames, SinkRename } from '../checkpoint/sink-rename.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/types.ts';
import { AuditailError } from '../errors.ts';
import type { Command, ExitCode } from './command.ts';
import { CONFIG_OPTION, DRY_RUN_OPTION, JSON_OPTION, sinkName } from './offsets/options.ts';
import { renameSteps } from './offsets/rename-steps.ts';
import { printSinkFacts, sinkFactsJson } from './offsets/report-sink.ts';
import { isUnknown, type SinkFacts, sinkFacts } from './offsets/sink-facts.ts';
import { type StateAccess, withState } from './offsets/state-access.ts';
import { stateMissing } from './offsets/state-missing.ts';

interface RenameOptions {
  readonly config: string;
  readonly dryRun?: true;
  readonly json?: true;
}

export const offsetsRenameSink: Command<RenameOptions> = {
  name: 'offsets rename-sink',
  summary: 'let a sink that got another name go on where it was',
  description:
    'Gives everything in the state that carries the old name of a sink the new one: its places in the logs, the files of ' +
    'its archive, its spool, its dead letters. Stop the agent, rename the sink in the configuration, and then run this. When ' +
    'it is interrupted, run it again: until it is done the agent does not start.',
  example:
    'auditail offsets rename-sink -c /etc/auditail/auditail.yaml es siem\n' +
    'auditail offsets rename-sink -c auditail.yaml es siem --dry-run',
  arguments: [
    { name: '<old>', description: 'the name that the state knows' },
    { name: '<new>', description: 'the name that the configuration has' },
  ],
  options: [CONFIG_OPTION, DRY_RUN_OPTION, JSON_OPTION],
  async handler({ options, operands, terminal }): Promise<ExitCode> {
    const config = loadConfig(options.config, { env: terminal.env });
    const [from, to] = operands.map(sinkName) as [string, string];
    if (!existsSync(statePath(config.stateDir))) throw stateMissing(config.stateDir);
    const dryRun = options.dryRun === true;
    return withState(config.stateDir, { dryRun }, async (state): Promise<ExitCode> => {
      const facts = await assertRenamable(state, config, { from, to });
      state.write(
        (db) => renameSteps(config.stateDir, db, { from, to }).forEach((step) => void step()),
        openDatabaseForRename,
      );
      if (options.json === true) {
        const result = { state: statePath(config.stateDir), stored: !dryRun, from, to, ...sinkFactsJson(facts) };
        terminal.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      } else {
        printSinkFacts([{ sink: `${from}, now ${to}`, facts }], terminal);
        terminal.stdout.write(dryRun ? 'nothing was changed\n' : `renamed: ${to} goes on where ${from} was\n`);
      }
      return 0;
    });
  },
};

/** Gives what there is of the sink. @throws AuditailError `USAGE`, `SINK_RENAME` */
async function assertRenamable({ stateDir, db }: StateAccess, config: Config, names: SinkNames): Promise<SinkFacts> {
  const { from, to } = names;
  const { pending } = new SinkRename(db);
  if (pending !== undefined && (pending.from !== from || pending.to !== to)) new SinkRename(db).assertNone();
  const [old, found] = [await sinkFacts(stateDir, db, from), await sinkFacts(stateDir, db, to)];
  if (pending !== undefined) return old;
  const sink = config.sinks.find(({ name }) => name === to);
  if (sink === undefined) {
    throw new AuditailError('USAGE', `the configuration has no sink ${JSON.stringify(to)}`, {
      hint: 'Give the sink its new name there first',
    });
  }
  if (config.sinks.some(({ name }) => name === from)) {
    throw new AuditailError('USAGE', `the configuration still names a sink ${from}`, {
      hint: 'It would begin from nothing: give it its new name there first',
    });
  }
  if (isUnknown(old)) throw new AuditailError('USAGE', `the state knows no sink ${JSON.stringify(from)}`);
  if (!isUnknown(found)) {
    throw new AuditailError('USAGE', `the state knows a sink ${to} already, and nothing was changed`, {
      hint: `If what it knows of ${to} is not wanted, forget it with: auditail offsets forget-sink -c FILE --force ${to}`,
    });
  }
  const isArchive = old.rows.archives > 0;
  const isSpool = old.spooled + old.letters + old.rows.spools > 0;
  if (sink.type === 'http' ? isArchive : isSpool) {
    throw new AuditailError('USAGE', `${from} was no ${sink.type} sink, as ${to} is`);
  }
  return old;
}
