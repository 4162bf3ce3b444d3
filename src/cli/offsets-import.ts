import path from 'node:path';
import { statePath } from '../checkpoint/database.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Command, ExitCode } from './command.ts';
import { refuseImport } from './offsets/import-refusals.ts';
import { CONFIG_OPTION, chosenSinks, chosenSources, DRY_RUN_OPTION, JSON_OPTION } from './offsets/options.ts';
import { OTHER_AGENTS, type OtherAgent, readOtherPositions } from './offsets/other-positions.ts';
import { planImport } from './offsets/plan-import.ts';
import { importJson, printImport } from './offsets/report-import.ts';
import { withState } from './offsets/state-access.ts';
import { storeChanges } from './offsets/store-changes.ts';

interface ImportOptions {
  readonly config: string;
  readonly from?: OtherAgent;
  readonly source?: string;
  readonly sink?: string;
  readonly orHead?: true;
  readonly replace?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export const offsetsImport: Command<ImportOptions> = {
  name: 'offsets import',
  summary: 'go on where fluentd or Fluent Bit stopped',
  description:
    'Takes over how far another agent has read the logs, so that a switch loses and repeats nothing: from the pos_file of ' +
    'fluentd or td-agent, or the DB of Fluent Bit. Stop that agent first, and start auditail afterwards. Files are known by ' +
    'their inode. Rotated parts that are older than the one that was read last count as read, newer ones are read from ' +
    'their head. Run it as a user who can read the logs, such as root.',
  example:
    'auditail offsets import -c /etc/auditail/auditail.yaml /var/log/td-agent/audit.pos --dry-run\n' +
    'auditail offsets import -c /etc/auditail/auditail.yaml --from fluent-bit /var/lib/fluent-bit/audit.db',
  arguments: [{ name: '<file>', description: 'the pos_file of fluentd, or the DB of Fluent Bit' }],
  options: [
    CONFIG_OPTION,
    {
      flags: '--from <agent>',
      description: 'the agent that wrote it; without this its content tells',
      choices: OTHER_AGENTS,
    },
    { flags: '--source <name>', description: 'only the logs of this source' },
    { flags: '--sink <name>', description: 'only this sink; the others begin as they would have' },
    { flags: '--or-head', description: 'begin at the head of what there is of a log whose position cannot be placed' },
    { flags: '--replace', description: 'take the place of positions that the state has already' },
    DRY_RUN_OPTION,
    JSON_OPTION,
  ],
  async handler({ options, operands, terminal }): Promise<ExitCode> {
    const config = loadConfig(options.config, { env: terminal.env });
    const sinks = chosenSinks(config, options.sink);
    const sources = chosenSources(config, options.source);
    const file = path.resolve(operands[0]!);
    const dryRun = options.dryRun === true;
    return withState(config.stateDir, { dryRun }, async (state): Promise<ExitCode> => {
      const { agent, positions } = readOtherPositions(file, options.from);
      const plan = await planImport({ db: state.db, config, sources, sinks, agent, positions });
      const refusal = refuseImport(plan, { file, orHead: options.orHead === true, replace: options.replace === true });
      const isStored = !dryRun && refusal === undefined;
      if (isStored) state.write((db) => storeChanges(db, plan.changes));
      if (options.json === true) {
        const result = { state: statePath(config.stateDir), from: agent, stored: isStored, ...importJson(plan) };
        terminal.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      } else {
        printImport(plan, { isStored }, terminal);
      }
      if (refusal !== undefined) throw refusal;
      return 0;
    });
  },
};
