import { DEFAULTS } from '../config/limits.ts';
import { type ListenAddress, parseListenAddress } from '../config/listen-address.ts';
import { loadConfig } from '../config/load-config.ts';
import { AuditailError } from '../errors.ts';
import type { Command, ExitCode } from './command.ts';
import { fetchStatus } from './status/fetch-status.ts';
import { printStatus } from './status/report-text.ts';

interface StatusOptions {
  readonly config?: string;
  readonly address?: ListenAddress;
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
  options: [
    { flags: '-c, --config <file>', description: 'take the address from admin.listen of this configuration' },
    {
      flags: '--address <address>',
      description: `host:port or unix:/path (default: ${DEFAULTS.adminListen})`,
      parse: parseAddress,
    },
    { flags: '--json', description: "print the agent's own answer, with all facts" },
  ],
  async handler({ options, terminal }): Promise<ExitCode> {
    const answer = await fetchStatus(options.address ?? configured(options.config, terminal.env));
    if (options.json === true) terminal.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    else printStatus(answer, terminal);
    return answer.unready.length === 0 ? 0 : 1;
  },
};

function configured(file: string | undefined, env: NodeJS.ProcessEnv): ListenAddress {
  if (file === undefined) return parseAddress(DEFAULTS.adminListen);
  const { listen } = loadConfig(file, { env }).admin;
  if (listen !== undefined) return listen;
  throw new AuditailError('STATUS_OFF', `admin.listen is off in ${file}: the agent cannot be asked`, {
    hint: 'Give it an address and reload; until then auditail offsets list shows what is committed',
  });
}

function parseAddress(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address === undefined) throw new Error('expected host:port or unix:/path');
  return address;
}
