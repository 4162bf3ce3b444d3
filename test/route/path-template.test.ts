import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { AuditailError } from '../../src/errors.ts';
import { compilePathTemplate, numberedSibling } from '../../src/route/path-template.ts';

const DEFAULT = '/var/log/auditail/audit-${tag[1..]}.%Y%m%d%H.log.gz';
const TIME = Date.parse('2026-11-20T15:04:05.678Z');

const render = (template: string, tag: string, zone = 'UTC', time = TIME): string =>
  compilePathTemplate(template, zone).render(tag, time);

test('the default path is one file per namespace and hour', () => {
  const template = compilePathTemplate(DEFAULT, 'UTC');
  assert.equal(template.render('audit.kube-system', TIME), '/var/log/auditail/audit-kube-system.2026112015.log.gz');
  assert.equal(template.render('audit._none', TIME), '/var/log/auditail/audit-_none.2026112015.log.gz');
  assert.equal(template.render('audit.none', TIME), '/var/log/auditail/audit-none.2026112015.log.gz');
  assert.equal(template.render('audit', TIME), '/var/log/auditail/audit-_.2026112015.log.gz');
  assert.equal(template.directory, '/var/log/auditail');
  assert.equal(template.hasTag, true);
  assert.deepEqual(template.tagForms, ['${tag[1..]}']);
  assert.equal(template.slot(TIME), Date.parse('2026-11-20T15:00:00Z'));
  assert.equal(template.slotEnd(template.slot(TIME)), Date.parse('2026-11-20T16:00:00Z'));
});

test('every time field and every tag form is rendered', () => {
  assert.equal(render('/a/%Y-%y-%m-%d-%j-%H-%M-%S-%%', 'x'), '/a/2026-26-11-20-324-15-04-05-%');
  assert.equal(render('/a/%Y-%j', 'x', 'UTC', Date.parse('2024-12-31T23:59:59Z')), '/a/2024-366');
  assert.equal(render('/a/%Y%m%d%H', 'x', 'Asia/Kolkata'), '/a/2026112020');
  assert.equal(render('/a/%Y%m%d%H', 'x', 'Asia/Kolkata', Date.parse('2026-12-31T18:30:00Z')), '/a/2027010100');
  assert.equal(render('/a/${tag}/$$${tag[0]}/%Y/${tag[-1]}.json', 'audit.x.y'), '/a/audit.x.y/$audit/2026/y.json');
  assert.equal(render('//a///b/x', 'x'), '/a/b/x');
  assert.equal(compilePathTemplate('/x', 'UTC').directory, '/');
  assert.equal(compilePathTemplate('/a/b%%/%Y/c/x', 'UTC').directory, '/a/b%');
});

test('slots have the length of the finest field', () => {
  const slot = (template: string): string => {
    const compiled = compilePathTemplate(template, 'UTC');
    const start = compiled.slot(TIME);
    return `${new Date(start).toISOString()} ${(compiled.slotEnd(start) - start) / 1000}`;
  };
  assert.equal(slot('/x/%S'), '2026-11-20T15:04:05.000Z 1');
  assert.equal(slot('/x/%M%Y'), '2026-11-20T15:04:00.000Z 60');
  assert.equal(slot('/x/%j'), '2026-11-20T00:00:00.000Z 86400');
  assert.equal(slot('/%Y/%m/x'), '2026-11-01T00:00:00.000Z 2592000');
  assert.equal(slot('/x/%y'), '2026-01-01T00:00:00.000Z 31536000');
  const none = compilePathTemplate('/x/${tag}.log', 'UTC');
  assert.equal(none.slot(TIME), 0);
  assert.equal(none.slot(0), 0);
  assert.equal(none.slotEnd(0), Number.POSITIVE_INFINITY);
  assert.equal(none.render('audit', TIME), '/x/audit.log');
});

test('a template that cannot work is refused with what is allowed', () => {
  const table: readonly [template: string, code: string, message: RegExp][] = [
    ['audit.log', 'TEMPLATE', /not absolute/],
    ['./audit.log', 'TEMPLATE', /not absolute/],
    ['', 'TEMPLATE', /not absolute/],
    ['/', 'TEMPLATE', /without a file name/],
    ['/x/${tag}/', 'TEMPLATE', /without a file name/],
    ['/x/../y', 'TEMPLATE', /has a '\.\.' in it/],
    ['/x/a%F', 'TEMPLATE', /character 5: '%F' is not a known time field/],
    ['/x/$$%', 'TEMPLATE', /character 6: '%' is not/],
    ['/x/%${tag}', 'TEMPLATE', /character 4: '%' is not/],
    ['/x/${host}', 'TEMPLATE', /\$\{host\}/],
    ['/x/$1', 'TEMPLATE', /there is no capture/],
    ['/x/a\0b', 'TEMPLATE', /control character/],
    [`/x/${'y'.repeat(161)}`, 'TEMPLATE', /more than 160 bytes/],
  ];
  for (const [template, code, message] of table) {
    assert.throws(
      () => compilePathTemplate(template, 'UTC'),
      (error) => error instanceof AuditailError && error.code === code && message.test(error.message),
      template,
    );
  }
  assert.throws(
    () => compilePathTemplate('/x/a%F', 'UTC'),
    (error) => error instanceof AuditailError && /%Y %y %m %d %j %H %M %S, and %%/.test(error.hint ?? ''),
  );
  assert.throws(
    () => compilePathTemplate('/x/y', 'Nowhere/Land'),
    (error) => error instanceof AuditailError && error.code === 'TIMEZONE',
  );
});

test('a file name that is too long is shortened, and different ones stay different', () => {
  const tag = `audit.${'n'.repeat(300)}`;
  const [one, two] = [render(DEFAULT, `${tag}a`), render(DEFAULT, `${tag}b`)];
  assert.match(path.basename(one), /^audit-n+~[0-9a-f]{16}\.log\.gz$/);
  assert.equal(Buffer.byteLength(path.basename(one)), 255);
  assert.notEqual(one, two);
  assert.equal(render(DEFAULT, `${tag}a`), one);
  assert.notEqual(render(DEFAULT, `${tag}a`, 'UTC', TIME + 3_600_000), one);
  for (const name of render('/x/${tag}/%H/y', tag).split('/')) assert.ok(name.length <= 255);
});

test('siblings are numbered before the known extensions and keep within 255 bytes', () => {
  assert.equal(numberedSibling('/x/audit-a.2026112015.log.gz', 1), '/x/audit-a.2026112015.1.log.gz');
  assert.equal(numberedSibling('/x/a.json', 2), '/x/a.2.json');
  assert.equal(numberedSibling('/x/a.ndjson.zst', 3), '/x/a.3.ndjson.zst');
  assert.equal(numberedSibling('/x/a.txt', 10), '/x/a.txt.10');
  assert.equal(numberedSibling('/x.log/a', 1), '/x.log/a.1');
  const long = `/x/${'y'.repeat(248)}.log.gz`;
  const siblings = [1, 2, 1000].map((n) => numberedSibling(long, n));
  for (const sibling of siblings) assert.ok(Buffer.byteLength(path.basename(sibling)) <= 255);
  assert.equal(new Set(siblings).size, 3);
  assert.match(siblings[2]!, /~[0-9a-f]{16}\.1000\.log\.gz$/);
});

const templates = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '${tag}',
        '${tag[0]}',
        '${tag[1..]}',
        '${tag[-1]}',
        '${tag[9]}',
        '%Y',
        '%m%d',
        '%H',
        '%j',
        '%%',
        '$$',
        '/',
      ),
      fc.constantFrom(
        'a',
        '.',
        '-',
        '.log',
        '.gz',
        '.lo',
        'g',
        '{a,b}',
        '[x]',
        '*',
        '(b)',
        '+(c)',
        '!',
        'é',
        '😀',
        ' ',
        '~',
      ),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((pieces) => `/var/out/${pieces.join('')}`)
  .filter((template) => {
    try {
      compilePathTemplate(template, 'UTC');
      return true;
    } catch {
      return false;
    }
  });

const tags = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('.', '/', '\0', '..', 'log', '.gz', 'o', '~', '*', '\n', '%2F', 'é'),
    maxLength: 12,
  }),
  fc.string({ unit: fc.constantFrom('a', '.', 'é'), minLength: 200, maxLength: 600 }),
  fc.constantFrom(
    'audit.shop',
    '..',
    '.',
    '...',
    '',
    'a./../../etc',
    'audit.log',
    'audit.log.gz',
    'a.~0123456789abcdef',
  ),
);

test('whatever the tag, a path stays in its directory and its glob takes it and its siblings', () => {
  fc.assert(
    fc.property(
      templates,
      tags,
      fc.integer({ min: 0, max: 4e12 }),
      fc.integer({ min: 1, max: 1e6 }),
      (text, tag, time, n) => {
        const template = compilePathTemplate(text, 'Asia/Kolkata');
        const file = template.render(tag, time);
        const depth = text.split(/\/+/).filter((name) => name !== '.').length;
        for (const candidate of [file, numberedSibling(file, n)]) {
          assert.equal(path.normalize(candidate), candidate);
          assert.ok(candidate.startsWith(`${template.directory}/`), candidate);
          assert.equal(candidate.split('/').length, depth, candidate);
          assert.doesNotMatch(candidate, /[\x00-\x1f\x7f]/);
          for (const name of candidate.split('/')) assert.ok(Buffer.byteLength(name) <= 255);
          assert.ok(path.matchesGlob(candidate, template.glob), `${template.glob} does not match ${candidate}`);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('the default glob does not take what is no file of the archive', () => {
  const { glob } = compilePathTemplate(DEFAULT, 'UTC');
  for (const name of [
    'audit.log',
    'audit-shop.log.gz',
    'audit-shop.20261120.log.gz',
    'audit-x.2026112015.log.gz.part',
    'other',
  ]) {
    assert.equal(path.matchesGlob(`/var/log/auditail/${name}`, glob), false, name);
  }
  assert.equal(path.matchesGlob('/var/log/auditail/sub/audit-x.2026112015.log.gz', glob), false);
});

test('rendering agrees with Intl in many zones', () => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Vienna',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Pacific/Apia',
    'Africa/Casablanca',
  );
  const times = fc.integer({ min: Date.parse('2014-01-01T00:00:00Z'), max: Date.parse('2100-12-31T23:59:59Z') });
  const compiled = new Map<string, ReturnType<typeof compilePathTemplate>>();
  fc.assert(
    fc.property(zones, times, (zone, time) => {
      const template = compiled.get(zone) ?? compilePathTemplate('/x/%Y-%m-%d %H:%M:%S', zone);
      compiled.set(zone, template);
      // Sweden writes dates the ISO way.
      const expected = new Date(time).toLocaleString('sv-SE', {
        timeZone: zone,
        dateStyle: 'short',
        timeStyle: 'medium',
      });
      assert.equal(template.render('audit', time), `/x/${expected}`);
    }),
    { numRuns: 1000 },
  );
});

test('late events and many tags get the same paths as ever, and memory stays flat', () => {
  const template = compilePathTemplate(DEFAULT, 'Europe/Vienna');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 200_000; i += 1) {
    const time = TIME - (i % 7) * 3_600_000;
    const file = template.render(`audit.namespace-${i}`, time);
    assert.ok(file.endsWith(`.20261120${16 - (i % 7)}.log.gz`), file);
  }
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 16 * 1024 * 1024, `the heap grew by ${grown} bytes`);
  assert.equal(template.render('audit.a', TIME), render(DEFAULT, 'audit.a', 'Europe/Vienna'));
});
