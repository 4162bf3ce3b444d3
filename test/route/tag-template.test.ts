import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditailError } from '../../src/errors.ts';
import { parseTagTemplate } from '../../src/route/tag-template.ts';

const render = (template: string, tag: string, captures?: readonly string[]): string =>
  parseTagTemplate(template, { captures: true }).render(tag, captures);

test('every form of a tag is rendered', () => {
  const tag = 'audit.kube-system.x';
  const table: readonly [template: string, expected: string][] = [
    ['', ''],
    ['none', 'none'],
    ['${tag}', tag],
    ['${tag}.none', `${tag}.none`],
    ['${tag[0]}-${tag[1]}', 'audit-kube-system'],
    ['${tag[-1]}', 'x'],
    ['${tag[-3]}', 'audit'],
    ['${tag[-4]}', ''],
    ['${tag[3]}', ''],
    ['${tag[0..]}', tag],
    ['${tag[1..]}', 'kube-system.x'],
    ['${tag[-2..]}', 'kube-system.x'],
    ['${tag[0..1]}', 'audit.kube-system'],
    ['${tag[0..-2]}', 'audit.kube-system'],
    ['${tag[1..9]}', 'kube-system.x'],
    ['${tag[2..1]}', ''],
    ['${tag[3..]}', ''],
    ['$$', '$'],
    ['$${tag}', '${tag}'],
    ['$$1}', '$1}'],
    ['a$$$$b', 'a$$b'],
  ];
  for (const [template, expected] of table) assert.equal(render(template, tag), expected, template);
});

test('captures are put in once: what they hold is not a template', () => {
  assert.equal(render('site.$2$1', 'a', ['mail', 'example']), 'site.examplemail');
  assert.equal(render('$1.${tag}', 'a.b', ['${tag}$2$$']), '${tag}$2$$.a.b');
  assert.equal(render('$9', 'a', ['x']), '');
  assert.equal(parseTagTemplate('$3.$1', { captures: true }).maxCapture, 3);
  assert.equal(parseTagTemplate('${tag}', { captures: true }).maxCapture, 0);
});

test('anything else after a $ is refused with its position', () => {
  const table: readonly [template: string, captures: boolean, message: RegExp][] = [
    ['a.${host}', true, /'a\.\$\{host\}', character 3: '\$\{host\}' is not known/],
    ['${tag_parts[0]}', true, /character 1: /],
    ['${tag[]}', true, /is not known/],
    ['${tag[a]}', true, /is not known/],
    ['${tag[..1]}', true, /is not known/],
    ['${ tag }', true, /is not known/],
    ['${1}', true, /is not known/],
    ['x${tag', true, /character 2: the brace is never closed/],
    ['a$', true, /character 2: a '\$' that begins nothing/],
    ['$x', true, /character 1/],
    ['$0', true, /captures begin/],
    ['$10', true, /captures end/],
    ['a.$1', false, /character 3: there is no capture/],
  ];
  for (const [template, captures, message] of table) {
    assert.throws(
      () => parseTagTemplate(template, { captures }),
      (error) =>
        error instanceof AuditailError &&
        error.code === 'TEMPLATE' &&
        message.test(error.message) &&
        /\$\{tag\[n\]\}/.test(error.hint ?? ''),
      template,
    );
  }
});

test('ranges agree with a list of parts', () => {
  const parts = fc.array(fc.constantFrom('a', 'bb', 'c-c', ''), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(parts, fc.integer({ min: -6, max: 6 }), fc.integer({ min: -6, max: 6 }), (list, from, to) => {
      const tag = list.join('.');
      assert.equal(render(`\${tag[${from}]}`, tag), list.at(from) ?? '');
      const start = from < 0 ? from + list.length : from;
      const end = to < 0 ? to + list.length : to;
      const inside = list.filter((_, index) => start >= 0 && index >= start && index <= end);
      assert.equal(render(`\${tag[${from}..${to}]}`, tag), inside.join('.'));
    }),
  );
});

test('names are rendered with their values, and only those that are allowed', () => {
  const template = parseTagTemplate('${node}/${tag[0]}/${time}$$', { captures: false, names: ['node', 'time'] });
  assert.equal(template.render('a.b', [], { node: '${tag}' }), '${tag}/a/$');
  assert.throws(
    () => parseTagTemplate('${host}', { captures: false, names: ['node'] }),
    (error) =>
      error instanceof AuditailError &&
      /'\$\{host\}' is not known/.test(error.message) &&
      /\$\{node\}/.test(error.hint!),
  );
  assert.throws(() => parseTagTemplate('${node}', { captures: false }), /not known/);
});
