import { AuditailError } from '../errors.ts';
import { compilePattern } from '../route/linear-regexp.ts';

const POSIX: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\s',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
  punct: '!-\\/:-@\\[-`{-~',
  blank: ' \\t',
};

/**
 * A regular expression of Ruby (Onigmo, which Fluent Bit uses too) in JavaScript's syntax, with or without slashes
 * around it. Complains of what is not quite the same.
 *
 * @throws AuditailError `PATTERN` for what JavaScript, or time in proportion to the text, does not allow
 */
export function translatePattern(written: string): string {
  const slashed = /^\/(.*)\/([a-z]*)$/s.exec(written);
  const quoted = /^"(.*)"$/s.exec(written);
  let source = (slashed?.[1] ?? quoted?.[1] ?? written).replaceAll('\\/', '/');
  source = source
    .replaceAll(/\[:(\^?)([a-z]+):\]/g, (found, not: string, name: string) =>
      not === '' ? (POSIX[name] ?? found) : found,
    )
    .replaceAll(/\\(.)/gs, (found, character: string) => {
      if (character === 'A') return '^';
      if (character === 'z' || character === 'Z') return '$';
      if (character === 'h') return '[0-9a-fA-F]';
      return found;
    });
  let flags = slashed?.[2] ?? '';
  const inline = /^\(\?([imx]+)\)/.exec(source);
  if (inline !== null) {
    source = source.slice(inline[0].length);
    flags += inline[1];
  }
  if (flags.includes('x') || /\(\?>|[*+?}]\+|\(\?[a-z]*x|\\[GRXKp]|&&/.test(source)) {
    throw new AuditailError('PATTERN', `the regular expression '${written}' has no counterpart in JavaScript`, {
      hint: 'Write it anew',
    });
  }
  if (flags.includes('i')) source = `(?i:${source})`;
  compilePattern(source);
  return source;
}
