import { existsSync } from 'node:fs';
import { statePath } from '../checkpoint/database.ts';
import { loadConfig } from '../config/load-config.ts';
import { AuditailError } from '../errors.ts';
import type { Command, ExitCode } from './command.ts';
import { counted } from './format/quantity.ts';
import { forgetSink } from './offsets/forget-sink.ts';
import { CONFIG_OPTION, DRY_RUN_OPTION, JSON_OPTION, sinkName } from './offsets/options.ts';
import { printSinkFacts, sinkFactsJson } from './offsets/report-sink.ts';
import { isUnknown, type SinkFacts, sinkFacts } from './offsets/sink-facts.ts';
import { withState } from './offsets/state-access.ts';
import { stateMissing } from './offsets/state-missing.ts';

interface ForgetOptions {
  readonly config: string;
  readonly dropEvents?: true;
  readonly force?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export const offsetsForgetSink: Command<ForgetOptions> = {
  name: 'offsets forget-sink',
  summary: 'remove what the state knows of a sink that is no more',
  description:
    'Removes a sink from the state, while the agent is stopped: its places in the logs, what is known of its archive, its ' +
    'spool and its dead letters. Events in these need --drop-events. The files of an archive stay on disk, as do tails that ' +
    'were cut off it and damaged files of a spool. A sink that the configuration still names begins from nothing then, ' +
    'and needs --force.',
  example:
    'auditail offsets forget-sink -c /etc/auditail/auditail.yaml es --dry-run\n' +
    'auditail offsets forget-sink -c auditail.yaml es --drop-events',
  arguments: [{ name: '<name>', description: 'the name that the state knows' }],
  options: [
    CONFIG_OPTION,
    { flags: '--drop-events', description: 'delete events that were never delivered, and dead letters' },
    { flags: '--force', description: 'also a sink that the configuration names' },
    DRY_RUN_OPTION,
    JSON_OPTION,
  ],
  async handler({ options, operands, terminal }): Promise<ExitCode> {
    const config = loadConfig(options.config, { env: terminal.env });
    const sink = sinkName(operands[0]!);
    if (!existsSync(statePath(config.stateDir))) throw stateMissing(config.stateDir);
    const dryRun = options.dryRun === true;
    return withState(config.stateDir, { dryRun }, async (state): Promise<ExitCode> => {
      const facts = await sinkFacts(config.stateDir, state.db, sink);
      const isNamed = config.sinks.some(({ name }) => name === sink);
      const refusal = refuse(sink, facts, { ...options, isNamed });
      const isStored = !dryRun && refusal === undefined;
      const kept: string[] = [];
      if (isStored) state.write((db) => void kept.push(...forgetSink(config.stateDir, db, sink)));
      if (options.json === true) {
        const result = { state: statePath(config.stateDir), stored: isStored, sink, ...sinkFactsJson(facts), kept };
        terminal.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      } else {
        if (!isUnknown(facts)) printSinkFacts([{ sink, facts }], terminal);
        for (const file of kept) terminal.stdout.write(`kept: ${file}\n`);
        terminal.stdout.write(isStored ? `forgotten: ${sink}\n` : 'nothing was changed\n');
      }
      if (refusal !== undefined) throw refusal;
      return 0;
    });
  },
};

function refuse(
  sink: string,
  facts: SinkFacts,
  options: Pick<ForgetOptions, 'dropEvents' | 'force'> & { readonly isNamed: boolean },
): AuditailError | undefined {
  if (isUnknown(facts)) return new AuditailError('USAGE', `the state knows no sink ${JSON.stringify(sink)}`);
  if (options.isNamed && options.force !== true) {
    return new AuditailError('USAGE', `the configuration names the sink ${sink}, and nothing was changed`, {
      hint: 'Take it out there first. To let it read the logs once more: auditail offsets reset. If it is to begin from nothing, add --force',
    });
  }
  const { spooled, letters } = facts;
  if (spooled + letters === 0 || options.dropEvents === true) return undefined;
  const what = `${counted(spooled, 'event')} that its receiver never got, and ${counted(letters, 'dead letter')}`;
  return new AuditailError('USAGE', `the sink ${sink} has ${what}, and nothing was changed`, {
    hint: 'If they may be deleted, add --drop-events',
  });
}
