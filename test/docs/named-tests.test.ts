import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const ROOT = path.resolve(import.meta.dirname, '../..');
const AREAS = new Set(
  readdirSync(path.join(ROOT, 'test'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name),
);

/** A path in backticks, and the names of tests in quotes that stand behind it: `` `sink/http/tls`: "one", "other" ``. */
const NAMED = /`([a-z0-9-]+(?:\/[A-Za-z0-9.*-]+)+)`(?::((?:,?(?: and)?\s+"[^"]+")+))?/g;

/** What a document says a test holds: paths below test/, without their end, and what stands in their text. */
function named(document: string): { test: string; names: string[] }[] {
  const text = readFileSync(path.join(ROOT, 'docs', document), 'utf8');
  return [...text.matchAll(NAMED)]
    .filter(([, file]) => AREAS.has(file!.split('/')[0]!) && !isFile(file!))
    .map(([, file, names]) => ({
      test: file!,
      names: [...(names ?? '').matchAll(/"([^"]+)"/g)].map(([, name]) => name!.replaceAll(/\s+/g, ' ')),
    }));
}

/** What is named may stand outside test/: `torture/shim/faults.c`. */
function isFile(file: string): boolean {
  return statSync(path.join(ROOT, file), { throwIfNoEntry: false })?.isFile() === true;
}

for (const [document, least] of [
  ['security.md', 50],
  ['guarantees.md', 50],
  ['reliability.md', 40],
] as const) {
  test(`every test that docs/${document} names is there, under its name`, () => {
    const claims = named(document);
    assert.ok(claims.length >= least, `only ${claims.length} were found`);
    const wrong: string[] = [];
    for (const { test: file, names } of claims) {
      const files = globSync(`test/${file}.{test,spec}.ts`, { cwd: ROOT });
      if (files.length === 0) wrong.push(`there is no test/${file}.test.ts`);
      const texts = files.map((one) => readFileSync(path.join(ROOT, one), 'utf8').replaceAll("\\'", "'"));
      for (const name of names) {
        if (!texts.some((text) => text.includes(name))) wrong.push(`test/${file} has no test "${name}"`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}
