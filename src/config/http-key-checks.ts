import type { Problem } from './problem.ts';
import { HTTP_FORMATS, type HttpFormat } from './types.ts';

/** Keys that only some formats have a use for. */
const FORMATS_WITH: Readonly<Record<string, readonly HttpFormat[]>> = {
  index: ['elasticsearch', 'splunk_hec'],
  data_stream: ['elasticsearch'],
  labels: ['loki'],
  sourcetype: ['splunk_hec'],
};

/** Mappings whose keys are names of the operator's choice. */
const MAPPINGS = ['headers', 'add', 'labels'] as const;

/**
 * What is wrong in which keys of an HTTP sink are given. It looks at what was written, before defaults are filled in: also
 * a key that has its default's value is one that the format has no use for.
 */
export function httpKeyProblems(value: unknown): Problem[] {
  const sinks = isMapping(value) && Array.isArray(value.sinks) ? value.sinks : [];
  return sinks.flatMap((sink: unknown, index) => {
    if (!isMapping(sink) || sink.type !== 'http') return [];
    return [...formatProblems(sink), ...nameProblems(sink), ...tlsProblems(sink)].map((problem) => ({
      ...problem,
      path: ['sinks', index, ...problem.path],
      complete: true,
    }));
  });
}

function formatProblems(sink: Readonly<Record<string, unknown>>): Problem[] {
  const format = HTTP_FORMATS.find((one) => one === sink.format);
  if (format === undefined) return [];
  const problems: Problem[] = [];
  for (const [key, formats] of Object.entries(FORMATS_WITH)) {
    if (!Object.hasOwn(sink, key) || formats.includes(format)) continue;
    const message = `the format ${format} has no ${key}, only ${formats.join(' and ')} ${formats.length === 1 ? 'has' : 'have'} it`;
    problems.push({ path: [key], message, atKey: true });
  }
  if (format === 'elasticsearch' && sink.data_stream === true && !Object.hasOwn(sink, 'index')) {
    problems.push({ path: ['data_stream'], message: 'needs index, the name of the data stream' });
  }
  return problems;
}

/** The schema passes over this one name, which would be lost without a word. */
function nameProblems(sink: Readonly<Record<string, unknown>>): Problem[] {
  return MAPPINGS.filter((key) => isMapping(sink[key]) && Object.hasOwn(sink[key], '__proto__')).map((key) => ({
    path: [key, '__proto__'],
    message: 'cannot be used as a name',
    atKey: true,
  }));
}

function tlsProblems({ url, tls }: Readonly<Record<string, unknown>>): Problem[] {
  if (!isMapping(tls)) return [];
  const problems: Problem[] = [];
  if (typeof url === 'string' && /^http:/i.test(url) && Object.keys(tls).length > 0) {
    problems.push({ path: ['tls'], message: 'has no effect on an http: url; begin it with https:, or leave tls out' });
  }
  for (const [one, other] of [
    ['cert_file', 'key_file'],
    ['key_file', 'cert_file'],
  ] as const) {
    if (Object.hasOwn(tls, one) && !Object.hasOwn(tls, other)) {
      problems.push({ path: ['tls', one], message: `needs ${other} beside it` });
    }
  }
  return problems;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
