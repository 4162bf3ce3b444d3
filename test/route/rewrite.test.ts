import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RewriteRule } from '../../src/config/types.ts';
import { AuditailError } from '../../src/errors.ts';
import { type FieldReader, Rewriter } from '../../src/route/rewrite.ts';

const NAMESPACE_RULE: RewriteRule = {
  match: '**',
  key: 'objectRef.namespace',
  pattern: '^(.+)$',
  tag: '${tag}.$1',
  invert: false,
  sanitize: 'dns1123',
};

const rule = (parts: Partial<RewriteRule>): RewriteRule => ({ ...NAMESPACE_RULE, sanitize: undefined, ...parts });

/** Reads events given as objects from path to value, and counts the reads. */
function reader(rewriter: Rewriter, values: Record<string, string | undefined>): FieldReader & { reads: number } {
  return {
    reads: 0,
    text(index: number) {
      this.reads += 1;
      return values[rewriter.paths[index]!];
    },
  };
}

function rewrite(rewriter: Rewriter, tag: string, values: Record<string, string | undefined>): string {
  const result = rewriter.rewrite(tag, reader(rewriter, values));
  assert.equal(rewriter.rewrite(tag, reader(rewriter, values)), result, 'the remembered result is another');
  return result;
}

const byNamespace = (rewriter: Rewriter, namespace: string | undefined, tag = 'audit'): string =>
  rewrite(rewriter, tag, { 'objectRef.namespace': namespace });

test('the namespace rule gives each namespace its tag and everything else a reserved one', () => {
  const rewriter = new Rewriter([NAMESPACE_RULE], '${tag}._none');
  assert.deepEqual(rewriter.paths, ['objectRef.namespace']);
  assert.equal(byNamespace(rewriter, 'kube-system'), 'audit.kube-system');
  assert.equal(byNamespace(rewriter, 'default', 'audit.edge'), 'audit.edge.default');
  assert.equal(byNamespace(rewriter, undefined), 'audit._none');
  assert.equal(byNamespace(rewriter, ''), 'audit._none');
  for (const hostile of [
    '../../x',
    'a\0',
    'a\nb',
    '\n',
    'a'.repeat(4096),
    '😀',
    'none\n',
    '_none',
    '_invalid',
    'kube.system',
  ]) {
    assert.equal(byNamespace(rewriter, hostile), 'audit._invalid', hostile.slice(0, 20));
  }
});

test('the td-agent configuration is reproduced: a missing namespace is called none', () => {
  const rewriter = new Rewriter([rule({ match: 'audit', pattern: '^(.+)' })], '${tag}.none');
  assert.equal(byNamespace(rewriter, 'default'), 'audit.default');
  assert.equal(byNamespace(rewriter, undefined), 'audit.none');
});

test('the first rule that takes tag and value wins', () => {
  const rewriter = new Rewriter(
    [
      rule({ key: 'path', pattern: '\\.(gif|png)$', tag: 'clear' }),
      rule({ key: 'status', pattern: '^200$', tag: 'clear', invert: true }),
      rule({ key: 'domain', pattern: '^.+\\.com$', tag: 'clear', invert: true }),
      rule({ key: 'domain', pattern: '^maps\\.example\\.com$', tag: 'site.ExampleMaps' }),
      rule({ key: 'domain', pattern: '^(mail)\\.(example)\\.com$', tag: 'site.$2$1' }),
      rule({ match: 'td.{apache,nginx}.*', key: 'domain', pattern: '^www', tag: '${tag[1]}.${tag[-1]}' }),
      rule({ key: 'domain', pattern: '.+', tag: 'site.unmatched' }),
    ],
    'unreachable',
  );
  assert.deepEqual(rewriter.paths, ['path', 'status', 'domain']);
  const site = (domain: string, tag = 'td.apache.access'): string => rewrite(rewriter, tag, { status: '200', domain });
  assert.equal(site('maps.example.com'), 'site.ExampleMaps');
  assert.equal(site('mail.example.com'), 'site.examplemail');
  assert.equal(site('www.example.com'), 'apache.access');
  assert.equal(site('www.example.com', 'td.other.access'), 'site.unmatched');
  assert.equal(site('news.example.com'), 'site.unmatched');
  assert.equal(site('example.org'), 'clear');
  assert.equal(rewrite(rewriter, 'td.apache.access', { status: '404', domain: 'maps.example.com' }), 'clear');
  assert.equal(rewrite(rewriter, 'td.apache.access', { status: '200', path: '/a.png', domain: 'x.com' }), 'clear');
});

test('invert takes a missing value when its pattern does not match the empty text', () => {
  const rewriter = new Rewriter([rule({ pattern: '^kube-', tag: 'tenants', invert: true })], 'system');
  assert.equal(byNamespace(rewriter, 'shop'), 'tenants');
  assert.equal(byNamespace(rewriter, 'kube-system'), 'system');
  assert.equal(byNamespace(rewriter, undefined), 'tenants');
  assert.equal(byNamespace(rewriter, ''), 'tenants');
  const any = new Rewriter([rule({ pattern: '.*', tag: 'never', invert: true })], 'missing');
  assert.equal(byNamespace(any, undefined), 'missing');
  const plain = new Rewriter([rule({ pattern: '.*', tag: 'never' })], 'missing');
  assert.equal(byNamespace(plain, undefined), 'missing');
});

test('only the rules for a source tag read fields', () => {
  const rewriter = new Rewriter([rule({ match: 'a', key: 'x' }), rule({ match: 'b', key: 'y' })], '${tag[0]}.none');
  assert.equal(rewrite(rewriter, 'a', { x: 'one', y: 'two' }), 'a.one');
  assert.equal(rewrite(rewriter, 'b', { x: 'one', y: 'two' }), 'b.two');
  const fields = reader(rewriter, { x: 'one' });
  assert.equal(rewriter.rewrite('c', fields), 'c.none');
  assert.equal(fields.reads, 0);
  assert.equal(new Rewriter([], '${tag}').rewrite('audit', fields), 'audit');
});

test('captures without a sanitizer stay one part of the tag', () => {
  const rewriter = new Rewriter([rule({ pattern: '^([^/]*)/?(.*)$', tag: 'x.$1.$2' })], 'missing');
  assert.equal(byNamespace(rewriter, 'a.b/../c'), 'x.a%2Eb.%2E%2E%2Fc');
  assert.equal(byNamespace(rewriter, '_none'), 'x.%5Fnone._invalid');
});

test('patterns see 1024 characters and no half of a surrogate pair', () => {
  const tail = new Rewriter([rule({ pattern: '(.)$', tag: '$1' })], 'missing');
  assert.equal(byNamespace(tail, `${'a'.repeat(1023)}bc`), 'b');
  assert.equal(byNamespace(tail, `${'a'.repeat(1022)}b😀`), 'b');
  const end = new Rewriter([rule({ pattern: 'z$', tag: 'seen' })], 'missing');
  assert.equal(byNamespace(end, `${'a'.repeat(1023)}z`), 'seen');
  assert.equal(byNamespace(end, `${'a'.repeat(1024)}z`), 'missing');
});

test('a broken rule is refused when the rewriter is made', () => {
  const broken: readonly [RewriteRule[], missing: string, code: string, message: RegExp][] = [
    [[rule({ match: '{' })], 'x', 'TAG_PATTERN', /never closed/],
    [[rule({ pattern: '(' })], 'x', 'PATTERN', /Unterminated group/],
    [[rule({ tag: '${host}' })], 'x', 'TEMPLATE', /\$\{host\}/],
    [[rule({ tag: '$2' })], 'x', 'TEMPLATE', /\$2 is used, but the pattern '\^\(\.\+\)\$' has 1 groups/],
    [[rule({ invert: true })], 'x', 'TEMPLATE', /invert has no captures/],
    [[], '$1', 'TEMPLATE', /there is no capture/],
  ];
  for (const [rules, missing, code, message] of broken) {
    assert.throws(
      () => new Rewriter(rules, missing),
      (error) => error instanceof AuditailError && error.code === code && message.test(error.message),
    );
  }
});

test('results of several fields do not mix', () => {
  const rewriter = new Rewriter([rule({ key: 'a', tag: 'a.$1' }), rule({ key: 'b', tag: 'b.$1' })], 'none');
  for (const [a, b, expected] of [
    ['x', undefined, 'a.x'],
    [undefined, 'x', 'b.x'],
    ['y', 'x', 'a.y'],
    [undefined, undefined, 'none'],
    ['x', 'y', 'a.x'],
  ]) {
    assert.equal(rewrite(rewriter, 'audit', { a, b }), expected);
    assert.equal(rewrite(rewriter, 'other', { a, b }), expected);
  }
});

/** Bytes that `work` leaves behind on the heap. */
function heapGrowth(work: () => void): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  work();
  collect();
  return process.memoryUsage().heapUsed - before;
}

test('a million distinct names leave memory flat', () => {
  const rewriter = new Rewriter([NAMESPACE_RULE], '${tag}._none');
  const line = 'x'.repeat(2048);
  let name = '';
  const fields: FieldReader = { text: () => name };
  let most = 0;
  const grown = heapGrowth(() => {
    for (let i = 0; i < 1_000_000; i += 1) {
      name = i % 8 === 0 ? `namespace-${i}-${line}` : `namespace-${i}`;
      rewriter.rewrite('audit', fields);
      most = Math.max(most, rewriter.cached);
    }
  });
  assert.ok(most > 1000 && most <= 8192, `${most} results were remembered`);
  assert.ok(grown < 8 * 1024 * 1024, `the heap grew by ${grown} bytes`);
});

test('a remembered name does not keep the line alive that it came from', () => {
  const rewriter = new Rewriter([NAMESPACE_RULE], '${tag}._none');
  const rest = 'x'.repeat(4096);
  const grown = heapGrowth(() => {
    for (let i = 0; i < 6000; i += 1) {
      rewriter.rewrite('audit', { text: () => `namespace-${i + 10_000}-${rest}`.slice(0, 15) });
    }
  });
  assert.equal(rewriter.cached, 6000);
  assert.ok(grown < 6 * 1024 * 1024, `the heap grew by ${grown} bytes`);
});

test('many source tags are not all remembered', () => {
  const rewriter = new Rewriter([NAMESPACE_RULE], '${tag}._none');
  for (let i = 0; i < 1000; i += 1) {
    assert.equal(rewriter.rewrite(`audit${i}`, { text: () => 'shop' }), `audit${i}.shop`);
    assert.ok(rewriter.cached <= 256);
  }
});
