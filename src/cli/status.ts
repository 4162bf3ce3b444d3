import type { Command, ExitCode } from './command.ts';
import { ADDRESS_OPTIONS, type AddressChoice, agentAddress } from './status/agent-address.ts';
import { fetchStatus } from './status/fetch-status.ts';
import { printStatus } from './status/report-text.ts';

interface StatusOptions extends AddressChoice {
  readonly json?: true;
}

export const status: Command<StatusOptions> = {
  name: 'status',
  summary: 'show what the running agent does',
  description:
    'Asks the running agent, through its admin listener, what it reads and how far, where that goes, how each sink ' +
    'stands, and what went wrong lately. Lags are of bytes and events that a sink has not taken: not written to its ' +
    'files, or not delivered or spooled. Exit 1 when no agent answers, or when it is not ready.',
  example:
    'auditail status\n' +
    'auditail status -c /etc/auditail/auditail.yaml\n' +
    "auditail status --address unix:/run/auditail/admin.sock --json | jq '.sources[].lag'",
  options: [...ADDRESS_OPTIONS, { flags: '--json', description: "print the agent's own answer, with all facts" }],
  async handler({ options, terminal }): Promise<ExitCode> {
    const answer = await fetchStatus(agentAddress(options, terminal.env));
    if (options.json === true) terminal.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    else printStatus(answer, terminal);
    return answer.unready.length === 0 ? 0 : 1;
  },
};
