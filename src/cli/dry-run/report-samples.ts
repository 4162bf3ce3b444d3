import { printable } from '../../printable.ts';
import { counted } from '../format/quantity.ts';
import type { Terminal } from '../terminal.ts';
import type { Body } from './bodies.ts';
import type { Sample, Samples } from './samples.ts';

/**
 * Prints the kept lines, by tag, and behind those of each tag what HTTP sinks would send for them. A pipe gets the very
 * bytes; a terminal gets nothing that it would act on.
 */
export function printSamples(samples: Samples, bodies: readonly Body[], terminal: Terminal): void {
  const { stdout } = terminal;
  for (const [tag, kept] of samples.byTag) {
    for (const sample of kept) {
      stdout.write(`${printable(describe(sample))}\n`);
      const { content } = sample.event;
      if (content === undefined) stdout.write('(longer than max_line_bytes: not shown)\n\n');
      else if (stdout.isTTY === true) stdout.write(`${printable(content.toString('utf8'))}\n\n`);
      else stdout.write(Buffer.concat([content, Buffer.from('\n\n')]));
    }
    for (const body of bodies.filter((one) => one.tag === tag)) printBody(body, terminal);
  }
  if (samples.omitted > 0) {
    stdout.write(`${counted(samples.omitted, 'further line')} not shown: they would take too much memory\n\n`);
  }
}

function printBody({ tag, sink, events, text }: Body, { stdout }: Terminal): void {
  const { name, format } = sink.config;
  stdout.write(`${printable(`${tag}, ${counted(events, 'event')} as ${name} sends them (${format})`)}\n`);
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  stdout.write(`${stdout.isTTY === true ? printable(ended) : ended}\n`);
}

function describe({ event: { tag, path: file }, line, targets }: Sample): string {
  const places = targets.map(({ sink, path, http }) => `${sink}: ${path ?? http?.origin}`);
  return `${tag}, ${file}:${line}, to ${places.length === 0 ? 'no sink' : places.join(', ')}`;
}
