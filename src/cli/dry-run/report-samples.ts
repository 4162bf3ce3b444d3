import { printable } from '../format/printable.ts';
import { counted } from '../format/quantity.ts';
import type { Terminal } from '../terminal.ts';
import type { Sample, Samples } from './samples.ts';

/** Prints the kept lines, by tag. A pipe gets their very bytes; a terminal gets nothing that it would act on. */
export function printSamples(samples: Samples, terminal: Terminal): void {
  const { stdout } = terminal;
  for (const kept of samples.byTag.values()) {
    for (const sample of kept) {
      stdout.write(`${printable(describe(sample))}\n`);
      if (sample.content === undefined) stdout.write('(longer than max_line_bytes: not shown)\n\n');
      else if (stdout.isTTY === true) stdout.write(`${printable(sample.content.toString('utf8'))}\n\n`);
      else stdout.write(Buffer.concat([sample.content, Buffer.from('\n\n')]));
    }
  }
  if (samples.omitted > 0) {
    stdout.write(`${counted(samples.omitted, 'further line')} not shown: they would take too much memory\n\n`);
  }
}

function describe({ tag, file, line, targets }: Sample): string {
  const places = targets.map(({ sink, path }) => `${sink}: ${path}`);
  return `${tag}, ${file}:${line}, to ${places.length === 0 ? 'no sink' : places.join(', ')}`;
}
