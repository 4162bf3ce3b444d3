/**
 * Writes config/auditail.schema.json and docs/configuration.md from the schema. `node config/generate.ts --check` only
 * compares, and exits 1 when either is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { configJsonSchema } from '../src/config/json-schema.ts';
import { renderReference } from './reference.ts';

const root = new URL('../', import.meta.url);
const schema = configJsonSchema();
const generated: readonly (readonly [file: string, content: string])[] = [
  ['config/auditail.schema.json', `${JSON.stringify({ title: 'auditail configuration', ...schema }, null, 2)}\n`],
  ['docs/configuration.md', renderReference(schema, readFileSync(new URL('config/auditail.yaml', root), 'utf8'))],
];

for (const [file, content] of generated) {
  const url = new URL(file, root);
  if (!process.argv.includes('--check')) writeFileSync(url, content);
  else if (readFileSync(url, 'utf8') !== content) {
    process.stderr.write(`${file} is stale: run node config/generate.ts\n`);
    process.exitCode = 1;
  }
}
