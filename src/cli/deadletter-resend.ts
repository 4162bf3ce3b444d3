import { DeadLetterStore } from '../checkpoint/dead-letter-store.ts';
import { loadConfig } from '../config/load-config.ts';
import { createChannel } from '../sink/http/channel.ts';
import type { Command, ExitCode } from './command.ts';
import { CONFIG_OPTION, IDS_OPTION, SINK_OPTION } from './deadletter/letter-options.ts';
import { resendAll } from './deadletter/resend-all.ts';

interface ResendOptions {
  readonly config: string;
  readonly sink?: string;
  readonly id?: readonly string[];
}

export const deadletterResend: Command<ResendOptions> = {
  name: 'deadletter resend',
  summary: 'send dead letters once more',
  description:
    'Sends dead letters once more, as their sinks are configured now, after what they were rejected for was mended. ' +
    'What is delivered is removed, what is rejected again stays with the new reason. It ends when the receiver takes ' +
    'nothing for the moment, and loses nothing when it is interrupted. Exit code 1: some letters were not delivered. ' +
    'The agent may run meanwhile.',
  example:
    'auditail deadletter resend -c /etc/auditail/auditail.yaml\n' +
    'auditail deadletter resend -c auditail.yaml --sink es --id 17 18',
  options: [CONFIG_OPTION, SINK_OPTION, IDS_OPTION],
  async handler({ options, terminal }): Promise<ExitCode> {
    const config = loadConfig(options.config, { env: terminal.env });
    const store = DeadLetterStore.openExisting(config.stateDir, config.commit.durability);
    const stop = new AbortController();
    const interrupt = () => stop.abort();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
    try {
      return (await resendAll({
        ...options,
        config,
        store,
        terminal,
        connect: (sink) => createChannel(sink, { now: Date.now }),
        signal: stop.signal,
      }))
        ? 0
        : 1;
    } finally {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
      store?.close();
    }
  },
};
