import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../src/errors.ts';
import { compileTagPattern } from '../../src/route/tag-pattern.ts';

/** From fluentd's documentation of match patterns, then from its code where the documentation says nothing. */
const TABLE: readonly [pattern: string, matching: readonly string[], others: readonly string[]][] = [
  ['a', ['a'], ['', 'b', 'aa', 'a.b', 'b.a']],
  ['a.*', ['a.b'], ['a', 'a.b.c', 'ab']],
  ['a.**', ['a', 'a.b', 'a.b.c'], ['ab', 'ab.c', 'b.a', '']],
  ['{a,b}', ['a', 'b'], ['c', 'a.b', 'a,b', '']],
  ['a.{b,c}.*', ['a.b.x', 'a.c.y'], ['a.d.x', 'a.b', 'a.b.x.y']],
  ['a.{b,c.**}', ['a.b', 'a.c', 'a.c.d', 'a.c.d.e'], ['a.b.d', 'a', 'a.cd']],
  ['a b', ['a', 'b'], ['c', 'a b']],
  ['  a.** \t b.*\n', ['a', 'a.x.y', 'b.x'], ['b', 'b.x.y']],
  ['**', ['', 'a', 'a.b.c'], []],
  ['*', ['a', ''], ['a.b', '.']],
  ['**.a', ['a', 'x.a', 'x.y.a'], ['xa', 'a.x', 'x.ya']],
  ['a.**.b', ['a.b', 'a.x.b', 'a.x.y.b'], ['ab', 'a.xb', 'axb', 'a.b.c']],
  ['audit*', ['audit', 'auditing'], ['audit.x', 'my-audit']],
  ['a*c.d', ['ac.d', 'abc.d'], ['a.c.d', 'abc']],
  ['a**', ['a', 'ab', 'ab.c', 'a.b'], ['b']],
  ['a.**b', ['a.b', 'a.xb', 'a.x.yb'], ['ab', 'axb', 'a.bc']],
  ['{a,b{c,d.*}}.e', ['a.e', 'bc.e', 'bd.x.e'], ['b.e', 'bd.e', 'bd.x.y.e']],
  ['{**.x,y}', ['x', 'a.x', 'y'], ['ax', 'a.y']],
  ['a{,b}', ['a', 'ab'], ['abb']],
  ['a.{b,**}', ['a.b', 'a.', 'a.x.y'], ['a']],
  ['a.** !a.b', ['a', 'a.c', 'a.b.c'], ['a.b', 'b']],
  ['!a.{b,c} a.* **.z', ['a.d', 'a.z'], ['a.b', 'a.c', 'z.a']],
  ['\\!a', ['!a'], ['a']],
  ['a!b', ['a!b'], ['a', 'b']],
  ['audit.\\{x\\,\\*\\}', ['audit.{x,*}'], ['audit.x']],
  ['kube-audit.prod_1', ['kube-audit.prod_1'], ['kube+audit.prod_1']],
  ['a.(b|c)+[d]$^', ['a.(b|c)+[d]$^'], ['a.b', 'a.bd']],
];

test("patterns match as fluentd's do", () => {
  for (const [pattern, matching, others] of TABLE) {
    const matches = compileTagPattern(pattern);
    for (const tag of matching) assert.equal(matches(tag), true, `'${pattern}' should match '${tag}'`);
    for (const tag of others) assert.equal(matches(tag), false, `'${pattern}' should not match '${tag}'`);
  }
});

test('a broken pattern is refused with its position', () => {
  const broken: readonly [pattern: string, message: RegExp][] = [
    ['', /empty/],
    [' \t', /empty/],
    ['a.{b,c', /'a\.\{b,c', character 3: the brace is never closed/],
    ['a {b, c}', /character 3: the brace is never closed/],
    ['a.b}', /character 4: a closing brace/],
    ['ok a,b', /character 5: a comma outside of braces/],
    ['a\\', /character 2: nothing follows the backslash/],
    ['a.b.', /character 4: the pattern ends with a dot/],
    ['/^a/', /character 1: regular expressions/],
    [`${'a'.repeat(5000)}`, /longer than 4096/],
  ];
  for (const [pattern, message] of broken) {
    assert.throws(
      () => compileTagPattern(pattern),
      (error) => error instanceof AuditailError && error.code === 'TAG_PATTERN' && message.test(error.message),
      pattern,
    );
  }
});

test('a hostile tag does not slow a pattern down', () => {
  const matches = compileTagPattern('{**.a.**,*a*a*a*a*a*b,**.**.**.**.**.b,{**{**{**,**}}}x}');
  const started = performance.now();
  for (const tag of ['a.'.repeat(2048), 'a'.repeat(4096), '.'.repeat(4096)]) {
    assert.equal(matches(`${tag}!`), tag.startsWith('a.'));
  }
  assert.ok(performance.now() - started < 500, `took ${performance.now() - started} ms`);
});

// The naive matcher: braces are expanded into lists of tokens, and a list is matched by trying every length.

type Token = { text: string } | 'part' | 'any' | 'anyParts' | 'boundary';
type Pattern = (string | Pattern[])[];

const patterns = fc.letrec<{ pattern: Pattern; piece: string | Pattern[] }>((tie) => ({
  pattern: fc.array(tie('piece'), { minLength: 0, maxLength: 5 }),
  piece: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 12, arbitrary: fc.constantFrom('a', 'b', '.', '.', '*', '**', '**.', '.**') },
    { weight: 2, arbitrary: fc.array(tie('pattern'), { minLength: 1, maxLength: 3 }) },
  ),
})).pattern;

function written(pattern: Pattern): string {
  return pattern.map((piece) => (typeof piece === 'string' ? piece : `{${piece.map(written).join(',')}}`)).join('');
}

/** The pattern's text to token lists, by replacing one innermost brace after the other. */
function expand(pattern: string): Token[][] {
  const inert = pattern
    // What a run of stars and dots means is settled before braces go away, since a brace separates them.
    .replaceAll(
      /\.\*\*\.|\*\*\.|\.\*\*|\*\*/g,
      (stars) => ({ '.**.': 'BS', '**.': 'S', '.**': 'BA', '**': 'A' })[stars]!,
    );
  let texts = [inert];
  while (texts.some((text) => text.includes('{'))) {
    texts = texts.flatMap((text) => {
      const brace = /\{([^{}]*)\}/.exec(text);
      if (brace === null) return [text];
      return brace[1]!
        .split(',')
        .map((choice) => text.slice(0, brace.index) + choice + text.slice(brace.index + brace[0].length));
    });
  }
  const kinds: Record<string, Token> = { S: 'anyParts', A: 'any', B: 'boundary', '*': 'part' };
  return texts.map((text) => [...text].map((letter) => kinds[letter] ?? { text: letter }));
}

function naive(tokens: readonly Token[], tag: string, at: number): boolean {
  const [token, ...rest] = tokens;
  if (token === undefined) return at === tag.length;
  if (token === 'boundary') return (at === tag.length || tag[at] === '.') && naive(rest, tag, at);
  if (token === 'anyParts' && at === 0 && naive(rest, tag, 0)) return true;
  if (typeof token === 'object') return tag[at] === token.text && naive(rest, tag, at + 1);
  for (let end = at; end <= tag.length; end += 1) {
    const taken = tag.slice(at, end);
    if (token === 'part' && taken.includes('.')) break;
    if (token === 'anyParts' && !taken.endsWith('.')) continue;
    if (naive(rest, tag, end)) return true;
  }
  return false;
}

test('any pattern agrees with a matcher that tries everything', () => {
  const tags = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  let matched = 0;
  fc.assert(
    fc.property(patterns, fc.array(tags, { minLength: 1, maxLength: 8 }), (pattern, candidates) => {
      const text = written(pattern);
      // Three stars are fluentd's `**` and `*`; the naive reading is the same but its tokenizer is not asked for it.
      fc.pre(text !== '' && !text.endsWith('.') && !text.includes('***'));
      const matches = compileTagPattern(text);
      const lists = expand(text);
      for (const tag of candidates) {
        const expected = lists.some((tokens) => naive(tokens, tag, 0));
        if (expected) matched += 1;
        assert.equal(matches(tag), expected, `'${text}' on '${tag}'`);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(matched > 500, `only ${matched} matches were seen`);
});

test('a pattern that leaves tags out takes some', () => {
  for (const pattern of ['!a', '!a !b.**', '!', 'a !']) {
    assert.throws(() => compileTagPattern(pattern), { code: 'TAG_PATTERN' }, pattern);
  }
  assert.throws(() => compileTagPattern('a.** !b.{c'), /character 9: the brace is never closed/);
});
