import { stat } from 'node:fs/promises';
import { loadConfig } from '../config/load-config.ts';
import { parseConfig } from '../config/parse-config.ts';
import type { Config, SourceConfig } from '../config/types.ts';
import { AuditailError, describeError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Command, ExitCode } from './command.ts';
import { bodiesOf, type SampleEncoder } from './dry-run/bodies.ts';
import { DryRunner, type InputCount, MAX_NAMES } from './dry-run/dry-runner.ts';
import type { Problems } from './dry-run/problems.ts';
import { Progress } from './dry-run/progress.ts';
import { readInput, STDIN } from './dry-run/read-input.ts';
import { jsonReport } from './dry-run/report-json.ts';
import { printReport } from './dry-run/report-text.ts';
import { encodeSample } from './dry-run/sample-encoder.ts';
import { counted, formatCount } from './format/quantity.ts';
import type { Terminal } from './terminal.ts';

const MAX_SHOW = 1000;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const EXAMPLE = 'auditail dry-run /var/log/kubernetes/audit/audit.log';

interface DryRunOptions {
  readonly config?: string;
  readonly source?: string;
  readonly show?: number;
  readonly strict?: true;
  readonly json?: true;
}

export const dryRun = dryRunWith(encodeSample);

/** The command, with what `--show` makes the bodies of HTTP requests with. */
export function dryRunWith(encode: SampleEncoder): Command<DryRunOptions> {
  return {
    name: 'dry-run',
    summary: 'show where the events of log files would go',
    description:
      'Sends log files through the configured parser, rewrite rules and router, writes nothing, and shows per tag, per ' +
      'file and per HTTP sink: events, bytes, first and last time. Lines that are no events are named on stderr. ' +
      `The first ${formatCount(MAX_NAMES)} tags and files are counted one by one, all others together.`,
    example: `${EXAMPLE}\nzcat -f audit*.log* | auditail dry-run -c auditail.yaml --show 1 -\nauditail dry-run --json audit.log.gz | jq .totals`,
    arguments: [{ name: '[input...]', description: `log files, plain or gzip; ${STDIN} for stdin` }],
    options: [
      { flags: '-c, --config <file>', description: 'the configuration file (without it, the defaults)' },
      { flags: '--source <name>', description: 'whose tag and limits apply (the first one of the configuration)' },
      {
        flags: '--show <n>',
        description: 'show the first n lines of each tag as its sinks would get them',
        parse: parseShow,
      },
      { flags: '--strict', description: 'exit with 1 when a line is invalid' },
      { flags: '--json', description: 'print the same facts as one JSON object' },
    ],
    async handler({ options, operands, terminal }): Promise<ExitCode> {
      checkInputs(operands);
      const config =
        options.config === undefined
          ? parseConfig('', { file: 'the default configuration', env: terminal.env })
          : loadConfig(options.config, { env: terminal.env });
      const source = chooseSource(config, options.source);
      const runner = new DryRunner(config, source, { show: options.show ?? 0, now: Date.now });
      const startedAt = performance.now();
      await readAll(runner, operands, terminal);
      const seconds = (performance.now() - startedAt) / 1000;
      const isUnread = runner.inputs.every(({ bytes, error }) => bytes === 0 && error !== undefined);
      if (options.json !== true) printProblems(runner.problems, terminal);
      printErrors(runner.inputs, terminal);
      const bodies = bodiesOf(runner.samples, encode);
      if (options.json === true) terminal.stdout.write(`${JSON.stringify(jsonReport(runner, bodies), null, 2)}\n`);
      else if (!isUnread) printReport(runner, bodies, { terminal, seconds });
      const failed = runner.inputs.some(({ error }) => error !== undefined);
      return failed || (options.strict === true && runner.problems.invalid > 0) ? 1 : 0;
    },
  };
}

function parseShow(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_SHOW) {
    throw new RangeError(`expected a number from 1 to ${formatCount(MAX_SHOW)}`);
  }
  return count;
}

function checkInputs(operands: readonly string[]): void {
  if (operands.length === 0) {
    throw new AuditailError('USAGE', 'no input is given', {
      hint: `Name log files, or ${STDIN} for stdin: ${EXAMPLE}`,
    });
  }
  if (operands.filter((operand) => operand === STDIN).length > 1) {
    throw new AuditailError('USAGE', `stdin (${STDIN}) is named twice`, { hint: 'It can be read only once' });
  }
}

function chooseSource(config: Config, name: string | undefined): SourceConfig {
  if (name === undefined) return config.sources[0]!;
  const source = config.sources.find((one) => one.name === name);
  if (source !== undefined) return source;
  throw new AuditailError('USAGE', `the configuration has no source ${name}`, {
    hint: `It has ${config.sources.map((one) => one.name).join(', ')}`,
  });
}

async function readAll(runner: DryRunner, operands: readonly string[], terminal: Terminal): Promise<void> {
  const progress = new Progress(terminal, await totalBytes(operands));
  const interrupted = (signal: NodeJS.Signals) => {
    progress.stop();
    // The default action, so that the shell learns the reason and a pipe that never ends cannot hold up the exit.
    for (const one of SIGNALS) process.off(one, interrupted);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  try {
    for (const name of operands) {
      await runner.take(name === STDIN ? 'stdin' : name, (events) =>
        readInput(name, terminal.stdin, {
          ...events,
          read: (bytes) => {
            events.read(bytes);
            progress.add(bytes);
          },
        }),
      );
    }
  } finally {
    progress.stop();
    for (const signal of SIGNALS) process.off(signal, interrupted);
  }
}

/** Undefined as soon as one of the inputs has no size. */
async function totalBytes(operands: readonly string[]): Promise<number | undefined> {
  let total = 0;
  for (const operand of operands) {
    const found = operand === STDIN ? undefined : await stat(operand).catch(() => undefined);
    if (operand === STDIN || (found !== undefined && !found.isFile())) return undefined;
    total += found?.size ?? 0;
  }
  return total;
}

function printProblems(problems: Problems, { stderr }: Terminal): void {
  for (const { file, line, column, reason } of problems.first) {
    stderr.write(`${printable(`${file}:${line}:${column}: ${reason}`)}\n`);
  }
  if (problems.omitted > 0) stderr.write(`and ${counted(problems.omitted, 'more such line')}\n`);
}

function printErrors(inputs: readonly InputCount[], { stderr }: Terminal): void {
  for (const { error } of inputs) {
    if (error !== undefined) stderr.write(`auditail: ${printable(describeError(error))}\n`);
  }
}
