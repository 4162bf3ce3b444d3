import { ReadStream, WriteStream } from 'node:tty';
import { DAY_MS, formatDuration, parseDuration, SECOND_MS } from '../config/units.ts';
import { AuditailError } from '../errors.ts';
import type { Command, ExitCode } from './command.ts';
import { usesColor } from './format/table.ts';
import { ADDRESS_OPTIONS, type AddressChoice, agentAddress } from './status/agent-address.ts';
import type { Terminal } from './terminal.ts';
import { Live } from './top/live.ts';
import { Screen } from './top/screen.ts';

const DEFAULT_INTERVAL_MS = 2 * SECOND_MS;

/** Each look costs the agent some milliseconds. */
const MIN_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = DAY_MS;

interface TopOptions extends AddressChoice {
  readonly interval?: number;
}

export const top: Command<TopOptions> = {
  name: 'top',
  summary: 'watch the running agent on a live screen',
  description:
    'Shows on the whole terminal, again and again, what auditail status shows once: what the running agent reads and how ' +
    'fast, what each sink has yet to take and how old that is, in which time rotation deletes it, how each sink stands, and ' +
    'what went wrong lately. What needs attention stands first. It goes on while no agent answers. Keys: q, Esc or Ctrl-C ' +
    'leaves; p or space pauses; s sorts by name.',
  example:
    'auditail top\n' +
    'auditail top -c /etc/auditail/auditail.yaml --interval 500ms\n' +
    'auditail top --address unix:/run/auditail/admin.sock',
  options: [
    ...ADDRESS_OPTIONS,
    {
      flags: '--interval <duration>',
      description: `time between two looks (default: ${formatDuration(DEFAULT_INTERVAL_MS)})`,
      parse: parseInterval,
    },
  ],
  async handler({ options, terminal }): Promise<ExitCode> {
    const streams = screenStreams(terminal);
    const live = new Live(agentAddress(options, terminal.env), options.interval ?? DEFAULT_INTERVAL_MS);
    const screen = new Screen(
      { ...streams, hasColors: usesColor(terminal) },
      {
        key(name) {
          live.key(name);
          live.draw(screen);
        },
        redraw: () => live.draw(screen),
      },
    );
    try {
      screen.open();
      await live.run(screen);
    } finally {
      screen.close();
    }
    return 0;
  },
};

function screenStreams({ stdin, stdout, env }: Terminal): { input: ReadStream; output: WriteStream } {
  if (stdin instanceof ReadStream && stdout instanceof WriteStream && env.TERM !== 'dumb') {
    return { input: stdin, output: stdout };
  }
  throw new AuditailError('USAGE', 'auditail top draws on a whole terminal, and this is none', {
    hint: 'auditail status shows the same once, auditail status --json for programs',
  });
}

function parseInterval(text: string): number {
  const interval = parseDuration(text);
  if (interval !== undefined && interval >= MIN_INTERVAL_MS && interval <= MAX_INTERVAL_MS) return interval;
  throw new Error(
    `expected a duration such as 500ms or 5s, from ${formatDuration(MIN_INTERVAL_MS)} to ${formatDuration(MAX_INTERVAL_MS)}`,
  );
}
