/**
 * Writes made-up audit events to a file or to stdout: `node bench/generate.ts --bytes 200MB --out audit.log`.
 *
 * With `--bytes` the number of lines is the size divided by the mean length, so the file is about that large.
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { AuditEvents } from './audit-events.ts';

const HELP = `Usage: node bench/generate.ts (--events N | --bytes SIZE) [options]

  --events N         number of lines
  --bytes SIZE       about this much text; k, M and G mean powers of 1000
  --out FILE         default: stdout
  --seed N           default 1; the same options give the same file
  --namespaces N     default 30
  --mean-bytes N     mean length of a line, default 1500
  --start TIME       time of the first event, RFC 3339
  --hours N          from the first event to the last, default 3
`;

/** Lines are gathered to pieces of this size before they are written. */
const CHUNK_BYTES = 256 * 1024;

const UNITS: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kMG]?)B?$/.exec(text);
  if (match === null) throw new RangeError(`--bytes ${text}: expected a size such as 500k, 200MB or 1G`);
  return Number(match[1]) * UNITS[match[2]!]!;
}

function parseNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new RangeError(`--${name} ${text}: not a number`);
  return value;
}

function* chunks(lines: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK_BYTES) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: 'string' },
      bytes: { type: 'string' },
      out: { type: 'string' },
      seed: { type: 'string', default: '1' },
      namespaces: { type: 'string', default: '30' },
      'mean-bytes': { type: 'string', default: '1500' },
      start: { type: 'string', default: '2026-01-15T09:00:00Z' },
      hours: { type: 'string', default: '3' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if ((values.events === undefined) === (values.bytes === undefined)) {
    throw new RangeError('give either --events or --bytes; --help explains them');
  }
  const startMs = Date.parse(values.start);
  if (Number.isNaN(startMs))
    throw new RangeError(`--start ${values.start}: expected a time such as 2026-01-15T09:00:00Z`);
  const meanBytes = parseNumber('mean-bytes', values['mean-bytes']);
  const count =
    values.bytes === undefined
      ? parseNumber('events', values.events!)
      : Math.ceil(parseSize(values.bytes) / (meanBytes + 1));
  const events = new AuditEvents({
    count,
    meanBytes,
    startMs,
    seed: parseNumber('seed', values.seed),
    namespaces: parseNumber('namespaces', values.namespaces),
    spanMs: parseNumber('hours', values.hours) * 3_600_000,
  });
  const target = values.out === undefined ? process.stdout : createWriteStream(values.out);
  await pipeline(Readable.from(chunks(events), { objectMode: true, highWaterMark: 4 }), target);
}

try {
  await main();
} catch (error) {
  // A reader such as `head` may have had enough.
  if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) {
    process.stderr.write(`generate: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}
