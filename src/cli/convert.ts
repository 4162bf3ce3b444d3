import { globSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import type { ConfigFiles } from '../convert/config-files.ts';
import { type Conversion, convert as convertText, DIALECTS, type Dialect } from '../convert/convert.ts';
import type { Finding } from '../convert/findings.ts';
import { AuditailError, errorCode } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Command } from './command.ts';
import type { Terminal } from './terminal.ts';

interface ConvertOptions {
  readonly output?: string;
  readonly force?: true;
  readonly from?: Dialect;
  readonly strict?: true;
  readonly quiet?: true;
  readonly json?: true;
}

/** The configuration may hold passwords that stood in what was converted. */
const PRIVATE = 0o600;

export const convert: Command<ConvertOptions> = {
  name: 'convert',
  summary: 'turn a fluentd or Fluent Bit configuration into one of auditail',
  description:
    'Reads a configuration of td-agent or fluentd (v0.12 and v1 syntax) or of Fluent Bit (classic syntax) with what it ' +
    'includes, and prints one of auditail that does the same, with comments that name where each key comes from. Every ' +
    'parameter is translated, noted (it has no meaning here) or warned of, with file and line.',
  example:
    'auditail convert /etc/td-agent/td-agent.conf -o auditail.yaml\nauditail convert --json fluent-bit.conf | jq .warnings',
  arguments: [{ name: '<file>', description: 'the configuration to convert' }],
  options: [
    { flags: '-o, --output <file>', description: 'write to a file, readable by its owner only, instead of stdout' },
    { flags: '--force', description: 'overwrite the file of --output' },
    { flags: '--from <tool>', description: 'whose syntax it is (without it, what it looks like)', choices: DIALECTS },
    { flags: '--strict', description: 'exit with 1 when there is a warning' },
    { flags: '--quiet', description: 'print warnings only, no notes' },
    {
      flags: '--json',
      description: 'print configuration, warnings, notes and translated parameters as one JSON object',
    },
  ],
  async handler({ options, operands, terminal }) {
    const file = operands[0]!;
    const text = FILES.read(file);
    const conversion = convertText(text, {
      file,
      dialect: options.from,
      files: FILES,
      timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
      hostname: os.hostname(),
    });
    const output = options.json === true ? `${JSON.stringify(conversion, null, 2)}\n` : conversion.yaml;
    if (options.output === undefined) terminal.stdout.write(output);
    else writeNew(options.output, output, options.force === true);
    if (options.json !== true) printFindings(conversion, options.quiet === true, terminal);
    return options.strict === true && conversion.warnings.length > 0 ? 1 : 0;
  },
};

const FILES: ConfigFiles = {
  read(file) {
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw new AuditailError('CONVERT_READ', `cannot read ${file}`, { cause });
    }
  },
  glob: (pattern) => globSync(pattern).sort(),
};

function writeNew(file: string, text: string, force: boolean): void {
  try {
    writeFileSync(file, text, { mode: PRIVATE, flag: force ? 'w' : 'wx' });
  } catch (cause) {
    if (errorCode(cause) !== 'EEXIST') throw new AuditailError('CONVERT_WRITE', `cannot write ${file}`, { cause });
    throw new AuditailError('USAGE', `${file} exists already`, {
      hint: 'Name another file, or overwrite it with --force',
    });
  }
}

function printFindings({ warnings, notes }: Conversion, isQuiet: boolean, { stderr }: Terminal): void {
  const print = ({ file, line, column, level, message }: Finding) => {
    stderr.write(`${printable(`${file}:${line}:${column}: ${level}: ${message}`).replaceAll('\n', ' ')}\n`);
  };
  if (!isQuiet) for (const note of notes) print(note);
  for (const warning of warnings) print(warning);
}
