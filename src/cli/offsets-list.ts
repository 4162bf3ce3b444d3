import { existsSync } from 'node:fs';
import { openDatabaseReadOnly, statePath } from '../checkpoint/database.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/types.ts';
import type { Command, ExitCode } from './command.ts';
import { offsetsJson } from './offsets/report-json.ts';
import { printOffsets } from './offsets/report-text.ts';
import { type SourceOffsets, sourceOffsets } from './offsets/source-offsets.ts';
import { stateMissing } from './offsets/state-missing.ts';

/** Finished segments of each stream that are listed: enough to see that the last rotations went well. */
const NEWEST_FINISHED = 3;

interface OffsetsListOptions {
  readonly config: string;
  readonly all?: true;
  readonly json?: true;
}

export const offsetsList: Command<OffsetsListOptions> = {
  name: 'offsets list',
  summary: "show each sink's place and lag in each log",
  description:
    'Shows how far each sink has durably taken each log file, and the gaps that were told. It only looks, also beside a ' +
    'running agent; what the agent has read since its last commit is not in it. An HTTP sink has taken what was ' +
    'delivered, what is in its spool and what became a dead letter. Offsets and sizes are bytes of uncompressed ' +
    `content. Unfinished files and the newest ${NEWEST_FINISHED} finished ones of each log are listed.`,
  example:
    'auditail offsets list -c /etc/auditail/auditail.yaml\n' +
    "auditail offsets list -c auditail.yaml --json | jq '[.sources[].streams[].segments[].sinks[].lag] | add'",
  options: [
    { flags: '-c, --config <file>', description: 'the configuration file', required: true },
    { flags: '--all', description: 'list all finished files' },
    { flags: '--json', description: 'print the same facts as one JSON object' },
  ],
  async handler({ options, terminal }): Promise<ExitCode> {
    const config = loadConfig(options.config, { env: terminal.env });
    const sources = await readOffsets(config, options.all === true ? Number.POSITIVE_INFINITY : NEWEST_FINISHED);
    if (options.json === true) {
      terminal.stdout.write(`${JSON.stringify(offsetsJson(statePath(config.stateDir), sources), null, 2)}\n`);
    } else {
      printOffsets(sources, terminal);
    }
    return 0;
  },
};

async function readOffsets(config: Config, finished: number): Promise<SourceOffsets[]> {
  const file = statePath(config.stateDir);
  if (!existsSync(file)) throw stateMissing(config.stateDir);
  const db = openDatabaseReadOnly(config.stateDir);
  try {
    const sinks = config.sinks.map(({ name }) => name);
    const all: SourceOffsets[] = [];
    for (const source of config.sources) all.push(await sourceOffsets(db, source, { sinks, finished }));
    return all;
  } finally {
    db.close();
  }
}
