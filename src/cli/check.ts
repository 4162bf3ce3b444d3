import { ConfigError, type ConfigIssue, formatIssue, formatPath, inFileOrder } from '../config/config-error.ts';
import { loadConfigDocument } from '../config/load-config.ts';
import type { ParsedConfig } from '../config/parse-config.ts';
import type { Config, SinkConfig } from '../config/types.ts';
import { printable } from '../printable.ts';
import { describeSink, sinkFacts } from './check/describe-sink.ts';
import { directoryWarnings } from './check/directory-warnings.ts';
import { httpWarnings } from './check/http-warnings.ts';
import { probeSink } from './check/probe-sink.ts';
import { type ProbeFinding, probeSinks, type SinkProbe } from './check/probe-sinks.ts';
import { sourceWarnings } from './check/source-warnings.ts';
import { stateWarnings } from './check/state-warnings.ts';
import type { Command, CommandOption, ExitCode } from './command.ts';
import type { Terminal } from './terminal.ts';

interface CheckOptions {
  readonly config: string;
  readonly probe?: true;
  readonly json?: true;
}

const PROBE_OPTION: CommandOption = {
  flags: '--probe',
  description: 'also ask each HTTP sink, without sending an event; exit with 1 when one would take none',
};

export const check = checkWith(probeSink);

/** The command, with what `--probe` asks receivers with. */
export function checkWith(probe: SinkProbe): Command<CheckOptions> {
  return {
    name: 'check',
    summary: 'check a configuration',
    description:
      'Checks a configuration and prints all its errors with line and column, or a summary with warnings of what is ' +
      'valid and will hurt: paths that cannot be read or written, rotation that deletes before it is read, sinks that ' +
      'were renamed, credentials that are open to others. Nothing is changed. Run it as the user that the agent runs as.',
    example: 'auditail check -c /etc/auditail/auditail.yaml\nauditail check -c auditail.yaml --json | jq .errors',
    options: [
      { flags: '-c, --config <file>', description: 'the configuration file', required: true },
      PROBE_OPTION,
      { flags: '--json', description: 'print the same facts as one JSON object' },
    ],
    async handler({ options, terminal }) {
      const result = await checkFile(options.config, terminal.env, options.probe === true ? probe : undefined);
      if (options.json) terminal.stdout.write(`${JSON.stringify(jsonResult(result), null, 2)}\n`);
      else printResult(result, terminal);
      return exitCode(result);
    },
  };
}

interface CheckResult {
  readonly file: string;
  readonly valid: boolean;
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  readonly sources: readonly Pick<Config['sources'][number], 'name' | 'tag' | 'path' | 'readFrom'>[];
  readonly sinks: readonly SinkConfig[];
  /** Undefined when no receiver was asked. */
  readonly probes: readonly ProbeFinding[] | undefined;
}

async function checkFile(file: string, env: NodeJS.ProcessEnv, probe: SinkProbe | undefined): Promise<CheckResult> {
  let parsed: ParsedConfig;
  try {
    parsed = loadConfigDocument(file, { env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const nothing = { warnings: [], sources: [], sinks: [], probes: undefined };
    return { file, valid: false, errors: error.issues, ...nothing };
  }
  const { config } = parsed;
  const found = [
    ...(await sourceWarnings(config)),
    ...directoryWarnings(config),
    ...httpWarnings(config),
    ...stateWarnings(config, file),
  ];
  return {
    file,
    valid: true,
    errors: [],
    warnings: found
      .map(({ path, message }) => ({ ...parsed.locate(path), path: formatPath(path), message }))
      .sort(inFileOrder),
    sources: config.sources.map(({ name, tag, path, readFrom }) => ({ name, tag, path, readFrom })),
    sinks: config.sinks,
    probes: probe === undefined ? undefined : await probeSinks(config, probe),
  };
}

function exitCode({ valid, probes }: CheckResult): ExitCode {
  if (!valid) return 2;
  return probes?.some(({ ok }) => !ok) === true ? 1 : 0;
}

/** The keys are stable, and new ones may be added. Of what is or may be a secret nothing is in it. */
function jsonResult(result: CheckResult): Record<string, unknown> {
  return { ...result, sinks: result.sinks.map(sinkFacts) };
}

function printResult(result: CheckResult, terminal: Terminal): void {
  const { file, errors, warnings, sources, sinks, probes = [] } = result;
  for (const issue of errors) terminal.stderr.write(`${formatIssue(file, issue)}\n`);
  for (const issue of warnings) {
    terminal.stderr.write(`${formatIssue(file, { ...issue, message: `warning: ${issue.message}` })}\n`);
  }
  if (!result.valid) {
    terminal.stderr.write(`${file} is not valid: ${plural(errors.length, 'error')}\n`);
    return;
  }
  const width = Math.max(...[...sources, ...sinks].map(({ name }) => name.length));
  const row = (label: string, name: string, text: string) =>
    terminal.stdout.write(`${label.padEnd(6)}  ${name.padEnd(width)}  ${text}\n`);
  for (const { name, path, tag, readFrom } of sources) row('source', name, `${path} as ${tag}, from its ${readFrom}`);
  for (const sink of sinks) row('sink', sink.name, `${sink.match} to ${describeSink(sink)}`);
  for (const { sink, ok, finding } of probes) row('probe', sink, printable(`${ok ? 'ok' : 'failed'}: ${finding}`));
  const failed = probes.filter(({ ok }) => !ok).length;
  const asked = failed === 0 ? '' : `, and ${plural(failed, 'sink')} would take no events now`;
  terminal.stdout.write(`${file} is valid, with ${plural(warnings.length, 'warning')}${asked}\n`);
}

function plural(count: number, noun: string): string {
  if (count === 0) return `no ${noun}s`;
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
