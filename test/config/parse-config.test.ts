import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/config-error.ts';
import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts';
import { errorsOf, firstFileSink, parse } from './parse.ts';

test('an empty file is the default source, the namespace rewrite and the archive', () => {
  const expected = {
    stateDir: '/var/lib/auditail',
    log: { level: 'info', format: 'json' },
    admin: { listen: { kind: 'tcp', host: '127.0.0.1', port: 9477 } },
    memoryLimit: 64 * 1024 ** 2,
    threads: 4,
    commit: { intervalMs: 5000, bytes: 64 * 1024 ** 2, durability: 'disk' },
    shutdownTimeoutMs: 10_000,
    sources: [
      {
        name: 'apiserver',
        tag: 'audit',
        path: '/var/log/kubernetes/audit',
        exclude: [],
        format: 'json',
        stream: undefined,
        readFrom: 'head',
        maxLineBytes: 16 * 1024 ** 2,
        refreshIntervalMs: 5000,
        rotateWaitMs: 5000,
        heldBytes: 10 * 1024 ** 3,
      },
    ],
    rewrite: [
      {
        match: '**',
        key: 'objectRef.namespace',
        pattern: '^(.+)$',
        tag: '${tag}.$1',
        invert: false,
        sanitize: 'dns1123',
      },
    ],
    rewriteMissing: '${tag}._none',
    sinks: [
      {
        name: 'archive',
        type: 'file',
        match: '**',
        path: '/var/log/auditail/audit-${tag[1..]}.%Y%m%d%H.log.gz',
        time: ['stageTimestamp', 'requestReceivedTimestamp', 'arrival'],
        timezone: 'UTC',
        compress: 'gzip',
        level: 6,
        mode: 0o640,
        dirMode: 0o750,
        maxOpenFiles: 256,
        maxTags: 4096,
        graceMs: 300_000,
        retention: { maxAgeMs: undefined, maxBytes: undefined, minKeepMs: 86_400_000 },
      },
    ],
  };
  for (const text of ['', '\n', '# nothing\n', '---\n', '{}'])
    assert.deepEqual(parse(text), expected, JSON.stringify(text));
});

test('the compression decides the default path and level', () => {
  const sink = (compress: string) => {
    const { path, level } = firstFileSink(parse(`sinks: [{ name: a, type: file, compress: ${compress} }]`))!;
    return [path.replace(/.*%H/, ''), level];
  };
  assert.deepEqual(sink('gzip'), ['.log.gz', 6]);
  assert.deepEqual(sink('zstd'), ['.log.zst', 1]);
  assert.deepEqual(sink('none'), ['.log', 0]);
});

test('what is written replaces its default, and the rest of its section stays', () => {
  const config = parse(`
commit: { interval: 1s }
threads: 3
memory_limit: 1GiB
sources:
  - { name: a, path: /var/log/a/, max_line_bytes: 1MB, exclude: ['*.tmp'], read_from: tail }
  - { name: b, path: '/var/log/b/*.log', tag: other.audit, rotate_wait: 0s }
rewrite: []
rewrite_missing: '\${tag}'
sinks:
  - { name: plain, type: file, path: '/out/\${tag}.log', compress: none, time: arrival, mode: '600', retention: { max_age: 30d } }
`);
  assert.deepEqual(config.commit, { intervalMs: 1000, bytes: 64 * 1024 ** 2, durability: 'disk' });
  assert.equal(config.threads, 3);
  assert.equal(config.sources[0]?.path, '/var/log/a', 'without the slash at its end');
  assert.equal(config.sources[0]?.maxLineBytes, 1_000_000);
  assert.deepEqual(config.sources[0]?.exclude, ['*.tmp']);
  assert.equal(config.sources[1]?.rotateWaitMs, 0);
  assert.deepEqual(config.rewrite, []);
  assert.deepEqual(firstFileSink(config)?.time, ['arrival']);
  assert.equal(firstFileSink(config)?.mode, 0o600);
  assert.deepEqual(firstFileSink(config)?.retention, {
    maxAgeMs: 30 * 86_400_000,
    maxBytes: undefined,
    minKeepMs: 86_400_000,
  });
});

test('arrival ends every list of time fields', () => {
  const time = (value: string) => firstFileSink(parse(`sinks: [{ name: a, type: file, time: ${value} }]`))?.time;
  assert.deepEqual(time('stageTimestamp'), ['stageTimestamp', 'arrival']);
  assert.deepEqual(time('[requestReceivedTimestamp, stageTimestamp]'), [
    'requestReceivedTimestamp',
    'stageTimestamp',
    'arrival',
  ]);
});

test('aliases and merges give equal values', () => {
  const config = parse(`
sources:
  - &base { name: a, path: /log/a, max_line_bytes: 2MiB }
  - { <<: *base, name: b, path: /log/b }
`);
  assert.equal(config.sources[1]?.maxLineBytes, 2 * 1024 ** 2);
  assert.equal(config.sources[1]?.name, 'b');
});

test('the environment is filled in before anything is checked', () => {
  const config = parse("state_dir: '${env:STATE}'\nmemory_limit: ${env:MEMORY}\n", {
    STATE: '/srv/state',
    MEMORY: '1GiB',
  });
  assert.equal(config.stateDir, '/srv/state');
  assert.equal(config.memoryLimit, 1024 ** 3);
});

test('the result is frozen through and through', () => {
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.ok(Object.isFrozen(value), `${path} is not frozen`);
    for (const [key, child] of Object.entries(value)) visit(child, `${path}.${key}`);
  };
  visit(parse(''), 'config');
});

test('all errors are told at once, in the order of the file', () => {
  const text = `logg: {}
log: { level: loud, frmat: text }
memory_limit: 1MiB
sources:
  - name: API
    pth: /x
    path: audit.log
    rotate_wait: 5
  - path: '\${env:NOPE}'
sinks:
  - { name: es, type: kafka, url: 'https://es' }
  - type: file
    mode: 0640
    time: [stage]
    timezone: Mars/Olympus
    retention: { max_age: 3, max_bytes: 1kb }
rewrite:
  - { key: a, pattern: '([', tag: q }
commit:
threads: 1.5
`;
  assert.deepEqual(errorsOf(text), [
    '1:1: logg: unknown key; did you mean log?',
    '2:15: log.level: expected one of trace, debug, info, warn, error, found "loud"',
    '2:21: log.frmat: unknown key; did you mean format?',
    '3:15: memory_limit: expected at least 8MiB, found "1MiB"',
    '5:11: sources[0].name: expected a name of at most 63 of the characters a-z, 0-9 and -, found "API"',
    '6:5: sources[0].pth: unknown key; did you mean path?',
    '7:11: sources[0].path: expected an absolute path, one that begins with /, found "audit.log"',
    '8:18: sources[0].rotate_wait: expected a duration with its unit, such as 500ms, 5s, 1h or 7d, found 5',
    '9:11: sources[1].path: the environment variable NOPE is not set',
    '11:23: sinks[0].type: expected one of file, http, found "kafka"',
    '12:5: sinks[1].name: is missing: expected a name of at most 63 of the characters a-z, 0-9 and -',
    "13:11: sinks[1].mode: expected permissions as octal digits in quotes, such as '0640', found 640",
    '14:12: sinks[1].time[0]: expected one of stageTimestamp, requestReceivedTimestamp, arrival, found "stage"',
    '16:27: sinks[1].retention.max_age: expected off, or a duration with its unit, such as 500ms, 5s, 1h or 7d, found 3',
    '16:41: sinks[1].retention.max_bytes: expected off, or a size such as 64KiB, 10GiB or 4096, found "1kb"',
    "18:24: rewrite[0].pattern: '([' is no regular expression: Unterminated character class. Write it as in JavaScript, without '/' around it",
    '19:1: commit: expected a mapping of keys to values, found nothing',
    '20:10: threads: expected a whole number from 1 to 256, found 1.5',
  ]);
});

test('each kind of wrong value says what was expected', () => {
  const errors: [string, string][] = [
    ['[]', '1:1: expected a mapping of keys to values, found an empty list'],
    ['just text', '1:1: expected a mapping of keys to values, found "just text"'],
    ['sources: []', '1:10: sources: expected at least 1 entry, found an empty list'],
    ['sources: /var/log', '1:10: sources: expected a list, found "/var/log"'],
    ['sinks: [file]', '1:9: sinks[0]: expected a mapping of keys to values, found "file"'],
    ['sinks: [{ name: a }]', '1:9: sinks[0].type: is missing: expected one of file, http'],
    ['rewrite: [{ key: a, tag: b }]', '1:11: rewrite[0].pattern: is missing: expected a regular expression as text'],
    ['state_dir: ""', '1:12: state_dir: expected an absolute path, found ""'],
    ['state_dir: /a/../b', '1:12: state_dir: expected a path without .., found "/a/../b"'],
    ['state_dir: "/a\\u0000b"', '1:12: state_dir: expected a path without control characters, found "/a\\u0000b"'],
    ['state_dir: "/a\\x7fb"', '1:12: state_dir: expected a path without control characters, found "/a\\x7fb"'],
    ['memory_limit: 8 megs', '1:15: memory_limit: expected a size such as 64KiB, 10GiB or 4096, found "8 megs"'],
    ['memory_limit: -5', '1:15: memory_limit: expected a size such as 64KiB, 10GiB or 4096, found -5'],
    ['memory_limit: 2000TiB', '1:15: memory_limit: expected at most 1TiB, found "2000TiB"'],
    [
      'shutdown_timeout: 5',
      '1:19: shutdown_timeout: expected a duration with its unit, such as 500ms, 5s, 1h or 7d, found 5',
    ],
    [
      'shutdown_timeout: 2 hours',
      '1:19: shutdown_timeout: expected a duration such as 500ms, 5s, 1h or 7d, found "2 hours"',
    ],
    ['commit: { interval: 0.1ms }', '1:21: commit.interval: expected a whole number of milliseconds, found "0.1ms"'],
    ['threads: 0', '1:10: threads: expected a whole number from 1 to 256, found 0'],
    ['threads: many', '1:10: threads: expected a whole number from 1 to 256, found "many"'],
    ['log: { format: xml }', '1:16: log.format: expected one of json, text, found "xml"'],
    [
      'admin: { listen: 9477 }',
      '1:18: admin.listen: expected host:port, unix:/path (at most 90 bytes), or off, found 9477',
    ],
    [
      'admin: { listen: "unix:relative.sock" }',
      '1:18: admin.listen: expected host:port, unix:/path (at most 90 bytes), or off, found "unix:relative.sock"',
    ],
    ['sources: [{ format: xml }]', '1:21: sources[0].format: expected one of json, cri, docker, found "xml"'],
    [
      'sources: [{ tag: a..b }]',
      '1:18: sources[0].tag: expected a tag: parts of A-Z, a-z, 0-9, _ and -, joined by dots, found "a..b"',
    ],
    [
      'sinks: [{ name: a, type: file, compress: lz4 }]',
      '1:42: sinks[0].compress: expected one of gzip, zstd, none, found "lz4"',
    ],
    [
      'sinks: [{ name: a, type: file, level: 20 }]',
      '1:39: sinks[0].level: expected a whole number from 1 to 19, found 20',
    ],
    [
      'sinks: [{ name: a, type: file, mode: "0999" }]',
      `1:38: sinks[0].mode: expected permissions as octal digits in quotes, such as '0640', found "0999"`,
    ],
    [
      'sinks: [{ name: a, type: file, dir_mode: "0640" }]',
      `1:42: sinks[0].dir_mode: expected permissions with at least '0700', found "0640"`,
    ],
    [
      'sinks: [{ name: a, type: file, time: [arrival, stageTimestamp] }]',
      '1:38: sinks[0].time: expected arrival as the last time field, since every event has it, found a list',
    ],
    [
      'sinks: [{ name: a, type: file, time: [arrival, arrival] }]',
      '1:38: sinks[0].time: expected each time field once, found a list',
    ],
    [
      'sinks: [{ name: a, type: file, time: [] }]',
      '1:38: sinks[0].time: expected at least 1 entry, found an empty list',
    ],
    [
      'sinks: [{ name: a, type: file, timezone: Mars/Olympus }]',
      "1:42: sinks[0].timezone: 'Mars/Olympus' is not a known time zone. Use a name of the IANA database, such as 'UTC' or 'Europe/Vienna'",
    ],
    [
      'rewrite: [{ key: a, pattern: b, tag: c, invert: yes }]',
      '1:49: rewrite[0].invert: expected true or false, found "yes"',
    ],
    [
      'rewrite: [{ key: a, pattern: b, tag: c, sanitize: html }]',
      '1:51: rewrite[0].sanitize: expected dns1123, found "html"',
    ],
    ['threads: 1\nthreads: 2', '2:1: threads: this key stands twice in its mapping'],
    ['log: {}\nlog: {}', '2:1: log: this key stands twice in its mapping'],
    [
      'plugins: { a: off }',
      '1:1: plugins: unknown key; expected one of state_dir, log, admin, memory_limit, threads, commit, shutdown_timeout, sources, rewrite, rewrite_missing, sinks',
    ],
  ];
  for (const [text, message] of errors) assert.deepEqual(errorsOf(text), [message], text);
});

test('a key that stands three times is told twice', () => {
  assert.deepEqual(errorsOf('threads: 1\nthreads: 2\nthreads: 3'), [
    '2:1: threads: this key stands twice in its mapping',
    '3:1: threads: this key stands twice in its mapping',
  ]);
});

test('text with a grammar of its own is told at its place, with the reason', () => {
  const errors: [string, RegExp][] = [
    ["sinks: [{ name: a, type: file, match: 'a.{b' }]", /^1:39: sinks\[0\]\.match: .*character 3.*never closed/],
    ["sinks: [{ name: a, type: file, path: '/x/${tga}' }]", /^1:38: sinks\[0\]\.path: .*character 4.*\$\{tga\}/],
    ["sinks: [{ name: a, type: file, path: '/x/%Q' }]", /^1:38: sinks\[0\]\.path: .*%Q/],
    ["rewrite_missing: '$1'", /^1:18: rewrite_missing: .*character 1.*no capture/],
    ["rewrite: [{ key: 'a..b', pattern: b, tag: c }]", /^1:18: rewrite\[0\]\.key: .*character 3/],
    ["rewrite: [{ match: '}', key: a, pattern: b, tag: c }]", /^1:20: rewrite\[0\]\.match: .*character 1/],
    ["rewrite: [{ key: a, pattern: b, tag: '$1' }]", /^1:38: rewrite\[0\]\.tag: .*the pattern 'b' has 0 groups/],
    [
      "rewrite: [{ key: a, pattern: (b), tag: '$1', invert: true }]",
      /^1:40: rewrite\[0\]\.tag: .*invert has no captures/,
    ],
  ];
  for (const [text, message] of errors) {
    const [error, ...others] = errorsOf(text);
    assert.deepEqual(others, []);
    assert.match(error ?? '', message);
  }
});

test('property: an unknown key is told at every level, at its place', () => {
  const key = fc.stringMatching(/^[a-z_]{1,12}$/).map((name) => `zzzzzzzz_${name}`);
  for (const { path, text, hides } of mappings()) {
    const before = text.slice(0, text.indexOf('HERE')).split('\n');
    const place = `${before.length}:${(before.at(-1) ?? '').length + 1}`;
    fc.assert(
      fc.property(key, (name) => {
        const errors = errorsOf(text.replace('HERE', `${name}: 1`));
        assert.equal(errors.length, 1, errors.join('\n'));
        assert.equal(errors[0]?.split('; ')[0], `${place}: ${hides ? path : `${path}${name}`}: unknown key`);
      }),
      { numRuns: 20 },
    );
  }
});

const HTTP = "name: a, type: http, format: ndjson, url: 'https://h'";
const BASIC = 'username: u, password: p';
const HEADER = 'name: x-key, value: v';

/** Every mapping of the schema, with a place in it for one more key. */
function mappings(): { path: string; text: string; hides?: true }[] {
  const found: ReturnType<typeof mappings> = [
    { path: '', text: 'HERE' },
    { path: 'log.', text: 'log:\n  HERE' },
    { path: 'admin.', text: 'admin:\n  HERE' },
    { path: 'commit.', text: 'commit:\n  HERE' },
    { path: 'sources[0].', text: 'sources:\n  - HERE' },
    { path: 'rewrite[0].', text: 'rewrite:\n  - { key: a, pattern: b, tag: c, HERE }' },
    { path: 'sinks[0].', text: 'sinks:\n  - { name: a, type: file, HERE }' },
    { path: 'sinks[0].retention.', text: 'sinks:\n  - { name: a, type: file, retention: { HERE } }' },
    { path: 'sinks[0].', text: `sinks:\n  - { ${HTTP}, HERE }` },
    { path: 'sinks[0].auth', text: `sinks:\n  - { ${HTTP}, auth: { bearer: b, HERE } }`, hides: true },
    { path: 'sinks[0].auth.basic', text: `sinks:\n  - { ${HTTP}, auth: { basic: { ${BASIC}, HERE } } }`, hides: true },
    {
      path: 'sinks[0].auth.header',
      text: `sinks:\n  - { ${HTTP}, auth: { header: { ${HEADER}, HERE } } }`,
      hides: true,
    },
    ...['tls', 'batch', 'retry', 'spool', 'deadletter'].map((section) => ({
      path: `sinks[0].${section}.`,
      text: `sinks:\n  - { ${HTTP}, ${section}: { HERE } }`,
    })),
  ];
  const count = (node: JsonSchema): number => {
    const children = [
      ...Object.values(node.properties ?? {}),
      ...(node.oneOf ?? []),
      ...(node.items ? [node.items] : []),
    ];
    return (node.properties === undefined ? 0 : 1) + children.map(count).reduce((sum, n) => sum + n, 0);
  };
  assert.equal(count(configJsonSchema()), found.length, 'a mapping of the schema is not tested here');
  return found;
}

test('a slip of the finger is corrected, nonsense is not', () => {
  const advice = (key: string) => errorsOf(`sinks: [{ name: a, type: file, ${key}: 1 }]`)[0]?.split('; ')[1];
  assert.equal(advice('retenton'), 'did you mean retention?');
  assert.equal(advice('dirMode'), 'did you mean dir_mode?');
  assert.equal(advice('max-open-files'), 'did you mean max_open_files?');
  assert.equal(advice('tiemzone'), 'did you mean timezone?');
  assert.match(advice('flush_interval') ?? '', /^expected one of name, type, match, /);
  assert.match(advice('__proto__') ?? '', /^expected one of /);
});

test('no value is shown that came from the environment, was long, or holds a password', () => {
  const secret = 'hunter2 is secret';
  assert.deepEqual(
    errorsOf("sources: [{ tag: 'x ${env:TOKEN}' }]\nrewrite: [{ key: a, pattern: '([${env:TOKEN}', tag: b }]", {
      TOKEN: secret,
    }),
    [
      '1:18: sources[0].tag: expected a tag: parts of A-Z, a-z, 0-9, _ and -, joined by dots, found "x ${env:TOKEN}" with the environment filled in',
      '2:30: rewrite[0].pattern: expected a regular expression, found "([${env:TOKEN}" with the environment filled in',
    ],
  );
  const pair = "rewrite: [{ key: a, pattern: '${env:TOKEN}', tag: '$1' }]";
  assert.doesNotMatch(errorsOf(pair, { TOKEN: secret }).join(), /hunter2/);
  assert.match(errorsOf('state_dir: https://user:hunter2@host/')[0] ?? '', /found "https:\/\/…@host\/"$/);
  const long = errorsOf(`memory_limit: ${'x'.repeat(5000)}`)[0] ?? '';
  assert.ok(long.length < 200, long);
});

test('property: any YAML value gives a configuration or a ConfigError', () => {
  const keys = fc.constantFrom(
    'sources',
    'sinks',
    'rewrite',
    'log',
    'commit',
    'state_dir',
    'name',
    'type',
    'path',
    'time',
    'retention',
    'max_age',
    '__proto__',
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('file', '/a/${tag}.log', 'a', 5, null, true, '[', 'off', '1h'),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('value'), { maxLength: 3 }),
    map: fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(value, (document) => {
      try {
        parse(JSON.stringify(document));
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        assert.ok(error.issues.length > 0);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a large file with many errors is told at once and in good time', () => {
  const started = performance.now();
  const errors = errorsOf(Array.from({ length: 40_000 }, (_, i) => `unknown_key_${i}: 1`).join('\n'));
  assert.equal(errors.length, 40_000);
  assert.match(errors.at(-1) ?? '', /^40000:1: unknown_key_39999: unknown key; /);
  assert.ok(performance.now() - started < 10_000);
});
