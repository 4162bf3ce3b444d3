import { readFileSync } from 'node:fs';

/** package.json stands one folder up from here, in the sources as in `dist`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
