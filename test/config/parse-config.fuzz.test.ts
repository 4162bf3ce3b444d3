import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config/types.ts';
import { compilePathTemplate } from '../../src/route/path-template.ts';
import { Rewriter } from '../../src/route/rewrite.ts';
import { Router } from '../../src/route/router.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { mutated } from '../helpers/mutations.ts';

/** Half a second of work is more than any configuration of some kilobytes should ask for; machines may be busy. */
const SLOW_MS = 10_000;

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-config-'));
after(() => fs.rmSync(directory, { recursive: true }));
const file = path.join(directory, 'auditail.yaml');

const ROOT = path.resolve(import.meta.dirname, '../../config');
const SEEDS = fs
  .readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => fs.readFileSync(path.join(ROOT, name)));

const TOKENS = [
  '${env:HOME}',
  '${tag[1..]}',
  '$${',
  '*a',
  '&a ',
  '<<: *a\n',
  '!!binary ',
  '---\n',
  '{ a: [',
  '(a+)+$',
  '(?=a)',
  '%Y%m%d%H',
  '../',
  '\0',
  '\xff',
  '9999999999999GiB',
  '-1s',
  'unix:/x',
  'sinks:\n  - { name: b, type: file, path: /b/${tag} }\n',
];

/** What a configuration that is accepted is used for before anything is read. */
function use({ rewrite, rewriteMissing, sinks }: Config): void {
  const rewriter = new Rewriter(rewrite, rewriteMissing);
  const router = new Router(sinks.map((sink) => ({ match: sink.match, sink })));
  for (const value of ['team-a', '../x', 'a'.repeat(2000), '']) {
    const tag = rewriter.rewrite('audit', { text: () => value });
    for (const sink of router.sinksFor(tag)) {
      if (sink.type !== 'file') continue;
      const template = compilePathTemplate(sink.path, sink.timezone);
      assert.ok(template.render(tag, Date.UTC(2026, 0, 15)).startsWith(`${template.directory}/`.replace('//', '/')));
    }
  }
}

test('a damaged configuration is one that can be used, or one line for each thing that is wrong, in good time', () => {
  assert.ok(SEEDS.length > 3);
  let accepted = 0;
  const property = fc.property(mutated(SEEDS, { tokens: TOKENS }), (bytes) => {
    fs.writeFileSync(file, bytes);
    const started = performance.now();
    try {
      use(loadConfig(file, { env: { HOME: '/root' } }));
      accepted += 1;
    } catch (error) {
      assert.ok(error instanceof ConfigError, String((error as Error).stack));
      for (const line of error.message.split('\n')) {
        assert.ok(line.startsWith(`${file}:`), line);
        assert.doesNotMatch(line, /[\x00-\x08\x0b-\x1f\x7f]/);
      }
    }
    assert.ok(performance.now() - started < SLOW_MS);
  });
  fc.assert(property, fuzz(800));
  assert.ok(accepted > 20, `${accepted} were accepted`);
});
