import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** Where Debian, Red Hat and SUSE keep logrotate's configuration. */
export const LOGROTATE_PATHS = ['/etc/logrotate.conf', '/etc/logrotate.d'] as const;

/** A larger file is no configuration: a real one has a few lines. */
const MAX_BYTES = 1024 * 1024;

/** Where (`file:line`) logrotate's configuration names `file`, by its path or by a glob; undefined when nowhere. */
export function logrotateNaming(file: string, paths: readonly string[] = LOGROTATE_PATHS): string | undefined {
  for (const config of paths.flatMap(filesOf)) {
    const line = lineNaming(file, config);
    if (line !== undefined) return `${config}:${line}`;
  }
  return undefined;
}

/** What cannot be read is left out: the warning is a courtesy, and logrotate may belong to another user. */
function filesOf(file: string): string[] {
  try {
    return statSync(file).isDirectory() ? readdirSync(file).map((name) => path.join(file, name)) : [file];
  } catch {
    return [];
  }
}

function lineNaming(file: string, config: string): number | undefined {
  let text: string;
  try {
    const stat = statSync(config);
    if (!stat.isFile() || stat.size > MAX_BYTES) return undefined;
    text = readFileSync(config, 'utf8');
  } catch {
    return undefined;
  }
  // Paths stand before the { of their block, in quotes or bare; directives inside take paths too (olddir, postrotate).
  let depth = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const words =
      line.replace(/^\s*#.*/, '').match(/"[^"]*"|'[^']*'|[{}]|[^\s{}"']+(?:\{[^\s{}]*\}[^\s{}"']*)*/g) ?? [];
    for (const word of words) {
      if (word === '{') depth += 1;
      else if (word === '}') depth -= 1;
      else if (depth === 0 && names(word.replace(/^["']|["']$/g, ''), file)) return index + 1;
    }
  }
  return undefined;
}

function names(word: string, file: string): boolean {
  return word.startsWith('/') && (word === file || path.matchesGlob(file, word));
}
