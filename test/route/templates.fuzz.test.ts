import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../src/errors.ts';
import { parseFieldPath } from '../../src/event/field-path.ts';
import { checkIndexTemplate, IndexTemplate } from '../../src/route/index-template.ts';
import { compilePattern } from '../../src/route/linear-regexp.ts';
import { compilePathTemplate } from '../../src/route/path-template.ts';
import { compileTagPattern } from '../../src/route/tag-pattern.ts';
import { parseTagTemplate } from '../../src/route/tag-template.ts';
import { fuzz } from '../helpers/fuzz-runs.ts';
import { mutated } from '../helpers/mutations.ts';

const SLOW_MS = 5_000;
const TIME = Date.UTC(2026, 0, 15, 9, 30);
const TAGS = ['audit', 'audit.team-a', 'audit.%2E%2E.%2Fx', 'a.b.c.d.e.f', `audit.${'x'.repeat(128)}`];
const TOKENS = ['${tag[', '..', '%', '%Y', '$1', '{a,b}', '**', '!', '/../', '${env:X}', '(?<a>', '{1000}', '\0'];

/** Undefined where the text was refused: with a code of its own, in good time. */
function compiled<T>(codes: readonly string[], work: () => T): T | undefined {
  const started = performance.now();
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof AuditailError && codes.includes(error.code), String((error as Error).stack));
    return undefined;
  } finally {
    assert.ok(performance.now() - started < SLOW_MS);
  }
}

/** Each property must see some that are accepted, or it would say nothing of them. */
function holds(seeds: readonly string[], see: (text: string) => boolean): void {
  let accepted = 0;
  const property = fc.property(mutated(seeds, { tokens: TOKENS, most: 4 }), (bytes) => {
    if (see(bytes.toString())) accepted += 1;
  });
  fc.assert(property, fuzz(1500));
  assert.ok(accepted > 30, `${accepted} were accepted`);
}

test('a path template is refused, or no path leaves its directory', () => {
  const seeds = [
    '/var/log/auditail/audit-${tag[1..]}.%Y%m%d%H.log',
    '/x/%Y/%m/${tag[1]}/${tag}.log',
    '/a/$$/${tag[-1]}%%',
  ];
  holds(seeds, (text) => {
    const template = compiled(['PATH_TEMPLATE', 'TEMPLATE'], () => compilePathTemplate(text, 'Europe/Vienna'));
    if (template === undefined) return false;
    for (const tag of TAGS) {
      const file = template.render(tag, TIME);
      assert.equal(path.normalize(file), file);
      assert.ok(file.startsWith(template.directory) && !file.includes('\0'), file);
      assert.doesNotMatch(file, /[\x00-\x1f\x7f]/);
    }
    return true;
  });
});

test('an index template is refused, or each name is one that the receiver takes', () => {
  holds(['audit-${tag[1..]}-%Y.%m.%d', 'a-${tag}-%H', '${tag[1]}'], (text) => {
    const template = compiled(['TEMPLATE'], () => {
      checkIndexTemplate(text, 'elasticsearch');
      return new IndexTemplate(text, 'elasticsearch');
    });
    if (template === undefined) return false;
    for (const tag of TAGS) {
      const name = template.render(tag, TIME);
      assert.match(name, /^[^A-Z\\/*?"<>| ,#:\x00-\x20_+-][^A-Z\\/*?"<>| ,#:\x00-\x1f]*$/);
      assert.ok(Buffer.byteLength(name) <= 255);
    }
    return true;
  });
});

test('a tag template is refused, or gives a tag', () => {
  holds(['${tag}.$1', '${tag[0]}.x.$1', 'a.b'], (text) => {
    const template = compiled(['TEMPLATE'], () => parseTagTemplate(text, { captures: true }));
    if (template === undefined) return false;
    for (const tag of TAGS)
      assert.equal(typeof template.render(tag, ['one', 'two', '3', '4', '5', '6', '7', '8', '9']), 'string');
    return true;
  });
});

test('a tag pattern is refused, or tells of each tag whether it matches, in good time', () => {
  holds(['audit.** !audit.{a,b}', '**', 'a.*.{b,c.**}.d', '{a,{b,c}}.*'], (text) => {
    const matches = compiled(['TAG_PATTERN'], () => compileTagPattern(text));
    if (matches === undefined) return false;
    const started = performance.now();
    for (const tag of [...TAGS, 'a.'.repeat(500)]) assert.equal(typeof matches(tag), 'boolean');
    assert.ok(performance.now() - started < SLOW_MS);
    return true;
  });
});

test('a pattern is refused, or runs in good time on what an attacker chose', () => {
  const values = ['a'.repeat(1024), 'ab'.repeat(512), ' '.repeat(1024), '\u{1f600}'.repeat(256)];
  holds(['^(.+)$', '^([a-z]+)-(\\d{1,4})?$', '(a|b)*c', '(?=x)y+', '[^-]+-(?<n>.*)'], (text) => {
    const pattern = compiled(['PATTERN'], () => compilePattern(text));
    if (pattern === undefined) return false;
    const started = performance.now();
    for (const value of values) pattern.exec(value);
    assert.ok(performance.now() - started < SLOW_MS, text);
    return true;
  });
});

test('a field path is refused, or has its steps', () => {
  holds(['objectRef.namespace', "a.b[0]['c d']", '$["x"].y'], (text) => {
    const steps = compiled(['FIELD_PATH'], () => parseFieldPath(text));
    return steps !== undefined && steps.length > 0;
  });
});
