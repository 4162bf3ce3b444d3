/** One number of the agent, with the labels that it has. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/**
 * The samples of an answer in the Prometheus text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Lines that are none are left out.
 */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = SAMPLE.exec(line);
    if (match === null) return [];
    const [, name, labels = '', value] = match;
    const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
    if (Number.isNaN(number)) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, label, text]) => [label!, unescaped(text!)]);
    return [{ name: name!, labels: Object.fromEntries(pairs), value: number }];
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
