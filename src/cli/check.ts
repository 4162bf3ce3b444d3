import { ConfigError, type ConfigIssue, formatIssue, formatPath, inFileOrder } from '../config/config-error.ts';
import { loadConfigDocument } from '../config/load-config.ts';
import type { ParsedConfig } from '../config/parse-config.ts';
import type { Config, FileSinkConfig, SinkConfig } from '../config/types.ts';
import { formatDuration, formatSize } from '../config/units.ts';
import { directoryWarnings } from './check/directory-warnings.ts';
import { sourceWarnings } from './check/source-warnings.ts';
import { stateWarnings } from './check/state-warnings.ts';
import type { Command, ExitCode } from './command.ts';
import type { Terminal } from './terminal.ts';

interface CheckOptions {
  readonly config: string;
  readonly json?: true;
}

export const check: Command<CheckOptions> = {
  name: 'check',
  summary: 'check a configuration',
  description:
    'Checks a configuration and prints all its errors with line and column, or a summary with warnings of what is ' +
    'valid and will hurt: paths that cannot be read or written, rotation that deletes before it is read, sinks that ' +
    'were renamed. Nothing is changed. Run it as the user that the agent runs as.',
  example: 'auditail check -c /etc/auditail/auditail.yaml\nauditail check -c auditail.yaml --json | jq .errors',
  options: [
    { flags: '-c, --config <file>', description: 'the configuration file', required: true },
    { flags: '--json', description: 'print the same facts as one JSON object' },
  ],
  async handler({ options, terminal }) {
    const result = await checkFile(options.config, terminal.env);
    if (options.json) terminal.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else printResult(result, terminal);
    return (result.valid ? 0 : 2) satisfies ExitCode;
  },
};

interface CheckResult {
  readonly file: string;
  readonly valid: boolean;
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  readonly sources: readonly Pick<Config['sources'][number], 'name' | 'tag' | 'path' | 'readFrom'>[];
  readonly sinks: readonly SinkConfig[];
}

async function checkFile(file: string, env: NodeJS.ProcessEnv): Promise<CheckResult> {
  let parsed: ParsedConfig;
  try {
    parsed = loadConfigDocument(file, { env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { file, valid: false, errors: error.issues, warnings: [], sources: [], sinks: [] };
  }
  const { config } = parsed;
  const found = [...(await sourceWarnings(config)), ...directoryWarnings(config), ...stateWarnings(config)];
  return {
    file,
    valid: true,
    errors: [],
    warnings: found
      .map(({ path, message }) => ({ ...parsed.locate(path), path: formatPath(path), message }))
      .sort(inFileOrder),
    sources: config.sources.map(({ name, tag, path, readFrom }) => ({ name, tag, path, readFrom })),
    sinks: config.sinks,
  };
}

function printResult(result: CheckResult, terminal: Terminal): void {
  const { file, errors, warnings, sources, sinks } = result;
  for (const issue of errors) terminal.stderr.write(`${formatIssue(file, issue)}\n`);
  for (const issue of warnings) {
    terminal.stderr.write(`${formatIssue(file, { ...issue, message: `warning: ${issue.message}` })}\n`);
  }
  if (!result.valid) {
    terminal.stderr.write(`${file} is not valid: ${plural(errors.length, 'error')}\n`);
    return;
  }
  const width = Math.max(...[...sources, ...sinks].map(({ name }) => name.length));
  for (const { name, path, tag, readFrom } of sources) {
    terminal.stdout.write(`source  ${name.padEnd(width)}  ${path} as ${tag}, from its ${readFrom}\n`);
  }
  for (const sink of sinks) {
    const target = sink.type === 'file' ? `${sink.path} (${describeSink(sink)})` : sink.format;
    terminal.stdout.write(`sink    ${sink.name.padEnd(width)}  ${sink.match} to ${target}\n`);
  }
  terminal.stdout.write(`${file} is valid, with ${plural(warnings.length, 'warning')}\n`);
}

function describeSink({ compress, level, timezone, retention: { maxAgeMs, maxBytes } }: FileSinkConfig): string {
  const kept = [
    ...(maxAgeMs === undefined ? [] : [formatDuration(maxAgeMs)]),
    ...(maxBytes === undefined ? [] : [`up to ${formatSize(maxBytes)}`]),
  ];
  const compressed = compress === 'none' ? 'not compressed' : `${compress} ${level}`;
  return `${compressed}, ${timezone}, kept ${kept.length === 0 ? 'for ever' : kept.join(' and ')}`;
}

function plural(count: number, noun: string): string {
  if (count === 0) return `no ${noun}s`;
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
