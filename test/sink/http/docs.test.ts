import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { HTTP_FORMATS, type HttpFormat } from '../../../src/config/types.ts';
import { AddedFields } from '../../../src/sink/http/added-fields.ts';
import { fieldsToAdd } from '../../../src/sink/http/create-format.ts';
import { newFormat } from './formats/new-format.ts';
import { httpConfig } from './http-config.ts';
import { httpEvent } from './http-events.ts';

const DIR = path.resolve(import.meta.dirname, '../../../docs/sinks');
const FILES = fs.readdirSync(DIR).toSorted();

const read = (file: string): string => fs.readFileSync(path.join(DIR, file), 'utf8');

interface DocumentedSink {
  readonly format: HttpFormat;
  readonly add?: Record<string, string | number>;
  readonly labels?: Record<string, string>;
  readonly index?: string;
  readonly data_stream?: boolean;
  readonly cluster?: string;
}

function sinksOf(file: string): DocumentedSink[] {
  return [...read(file).matchAll(/^```yaml\n(.*?)^```$/gms)].flatMap(
    ([, yaml]) => (load(yaml!) as { sinks: DocumentedSink[] }).sinks,
  );
}

test('each format has its document, and the overview names them all', () => {
  assert.deepEqual(FILES, ['README.md', ...HTTP_FORMATS.map((format) => `${format}.md`).toSorted()]);
  for (const format of HTTP_FORMATS) assert.ok(read('README.md').includes(`[${format}](${format}.md)`));
});

test('each document has configurations of its format, whose templates compile', () => {
  for (const format of HTTP_FORMATS) {
    const sinks = sinksOf(`${format}.md`);
    assert.ok(sinks.length > 0, format);
    for (const { add = {}, labels = { job: 'x' }, index, data_stream, cluster, ...sink } of sinks) {
      assert.equal(sink.format, format);
      const fields = { format, add, labels, index, dataStream: data_stream ?? false, cluster };
      assert.ok(newFormat(fields).encode([httpEvent('{}')]).length > 0);
      if (format !== 'elasticsearch') continue;
      // The data view of the saved objects goes by it.
      const added = new AddedFields(fieldsToAdd(httpConfig(fields)), { node: 'n', cluster });
      assert.ok('@timestamp' in JSON.parse(added.apply(httpEvent('{}')).toString()));
    }
  }
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
