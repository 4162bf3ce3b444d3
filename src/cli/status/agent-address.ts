import { DEFAULTS } from '../../config/limits.ts';
import { type ListenAddress, parseListenAddress } from '../../config/listen-address.ts';
import { loadConfig } from '../../config/load-config.ts';
import { AuditailError } from '../../errors.ts';
import type { CommandOption } from '../command.ts';

export interface AddressChoice {
  readonly config?: string;
  readonly address?: ListenAddress;
}

/** Options of commands that ask a running agent. */
export const ADDRESS_OPTIONS: readonly CommandOption[] = [
  { flags: '-c, --config <file>', description: 'take the address from admin.listen of this configuration' },
  {
    flags: '--address <address>',
    description: `host:port or unix:/path (default: ${DEFAULTS.adminListen})`,
    parse: parseAddress,
  },
];

/** Where the agent listens: `--address`, or what the configuration says, or the default. @throws AuditailError `STATUS_OFF` */
export function agentAddress({ config: file, address }: AddressChoice, env: NodeJS.ProcessEnv): ListenAddress {
  if (address !== undefined) return address;
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
