import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { type Config, HTTP_FORMATS } from '../../../src/config/types.ts';
import { AddedFields } from '../../../src/sink/http/added-fields.ts';
import { createFormat, fieldsToAdd } from '../../../src/sink/http/create-format.ts';
import { httpEvent } from './http-events.ts';

const DIR = path.resolve(import.meta.dirname, '../../../docs/sinks');
const FILES = fs.readdirSync(DIR).toSorted();

const read = (file: string): string => fs.readFileSync(path.join(DIR, file), 'utf8');

/** The configurations in a document, as the agent reads them. */
function configsOf(file: string): Config[] {
  const env = { SPLUNK_HEC_TOKEN: 'token' };
  return [...read(file).matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml]) => parseConfig(yaml!, { file, env }));
}

test('each format has its document, and the overview names them all', () => {
  assert.deepEqual(FILES, ['README.md', ...HTTP_FORMATS.map((format) => `${format}.md`).toSorted()]);
  for (const format of HTTP_FORMATS) assert.ok(read('README.md').includes(`[${format}](${format}.md)`));
});

test('each document has configurations of its format that work, and the overview too', () => {
  for (const file of FILES) {
    const sinks = configsOf(file).flatMap((config) => config.sinks.filter((sink) => sink.type === 'http'));
    assert.ok(sinks.length > 0, file);
    for (const sink of sinks) {
      if (file !== 'README.md') assert.equal(`${sink.format}.md`, file);
      assert.ok(createFormat(sink, { node: 'cp-1' }).encode([httpEvent('{}')]).length > 0);
      if (sink.format !== 'elasticsearch') continue;
      // The data view of the saved objects goes by it.
      const added = new AddedFields(fieldsToAdd(sink), { node: 'n', cluster: sink.cluster });
      assert.ok('@timestamp' in JSON.parse(added.apply(httpEvent('{}')).toString()));
    }
  }
});

test('the examples of the README of the project are read too', () => {
  const readme = fs.readFileSync(path.resolve(DIR, '../../README.md'), 'utf8');
  const examples = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)];
  assert.ok(examples.length >= 2);
  for (const [, yaml] of examples) assert.ok(parseConfig(yaml!, { file: 'README.md', env: {} }).sinks.length > 0);
});

test('links lead to files and headings that exist', () => {
  for (const file of FILES) {
    for (const [, target] of read(file).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [name, heading] = target!.split('#');
      const linked = path.resolve(DIR, name === '' ? file : name!);
      assert.ok(fs.existsSync(linked), `${file}: ${target}`);
      if (heading === undefined) continue;
      const headings = [...fs.readFileSync(linked, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
        text!
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      );
      assert.ok(headings.includes(heading), `${file}: ${target}`);
    }
  }
});
