/**
 * No secret in anything that the program says or keeps, but in the requests themselves: logs at the level trace, what
 * commands print, errors, state. The receiver and the proxy repeat what they were sent, as some do in their errors.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { auditail } from '../cli/cli-process.ts';
import { TestCa } from '../helpers/test-ca.ts';
import { httpSink, withSinks } from './http-scene.ts';
import { Scene } from './scene.ts';

/** In every secret; also in what base64 makes of it, at each of the three places where it may begin. */
const MARK = 'hunter2pass';
const HIDDEN = new RegExp(
  [0, 1, 2]
    .map((shift) =>
      Buffer.from(`${'x'.repeat(shift)}${MARK}`)
        .toString('base64')
        .slice(shift === 0 ? 0 : 4, -4),
    )
    .concat(MARK)
    .join('|'),
);

type Answer = (request: http.IncomingMessage, body: Buffer) => { status: number; body: string };

/** What it was sent, in the words of an error. */
function echo(request: http.IncomingMessage): string {
  return JSON.stringify({ error: { reason: 'cannot do that', url: request.url, headers: request.headers } });
}

/** The ways to answer, each with its own request's secrets in it. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  unauthorised: (request) => ({ status: 401, body: echo(request) }),
  unavailable: (request) => ({ status: 503, body: echo(request) }),
  rejected: (request) => ({ status: 400, body: echo(request) }),
  garbage: (request) => ({ status: 200, body: echo(request) }),
  'rejected items': (request, body) => {
    const items = Array<unknown>(body.toString().split('\n').length >> 1).fill({
      create: { status: 400, error: { type: 'made_up', reason: echo(request) } },
    });
    return { status: 200, body: JSON.stringify({ errors: true, items }) };
  },
};

async function receiver(t: TestContext, answer: Answer): Promise<{ url: string; requests: http.IncomingMessage[] }> {
  const requests: http.IncomingMessage[] = [];
  const server = http.createServer(async (request, response) => {
    requests.push(request);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status, body } = answer(request, Buffer.concat(chunks));
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** The bytes of everything below a directory: databases, spools, dead letters. */
function stateOf(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

function assertHidden(where: string, text: string): void {
  const at = text.search(HIDDEN);
  assert.equal(at, -1, `${where} shows: …${text.slice(Math.max(0, at - 200), at + 60)}`);
}

/** Sinks with secrets in every place where a configuration may have one, and the variables that hold some of them. */
function secretSinks(directory: string, url: string, proxy: string, format: string) {
  mkdirSync(directory, { recursive: true });
  const file = (name: string) => {
    const path = join(directory, name);
    writeFileSync(path, `${MARK}-of-${name}\n`, { mode: 0o600 });
    return path;
  };
  const path = `/in-${MARK}/_bulk?token=${MARK}-query`;
  const quick = { format, compress: 'none', deadletter: { max_bytes: '1MiB' } };
  const sinks = [
    httpSink('basic', url + path, { ...quick, auth: { basic: { username: 'elastic', password: `${MARK}-basic` } } }),
    httpSink('basic-file', url, { ...quick, auth: { basic: { username: 'u', password_file: file('password') } } }),
    httpSink('bearer-env', url, { ...quick, auth: { bearer: '${env:TOKEN}' } }),
    httpSink('bearer-file', url, { ...quick, auth: { bearer_file: file('token') } }),
    httpSink('header', url, { ...quick, auth: { header: { name: 'X-Api-Key', value: `ApiKey ${MARK}-key` } } }),
    httpSink('header-file', url, { ...quick, auth: { header: { name: 'X-Api-Key', value_file: file('key') } } }),
    httpSink('headers', `${url}/\${env:SECRET_PATH}`, {
      ...quick,
      headers: { 'X-Scope': `${MARK}-scope`, Cookie: '${env:TOKEN}' },
    }),
    httpSink('proxied', `http://es.invalid/in-${MARK}?k=${MARK}`, {
      ...quick,
      proxy: proxy.replace('//', `//user-of-proxy:${MARK}-proxy@`),
      auth: { bearer: `${MARK}-behind` },
    }),
  ];
  return { sinks, env: { TOKEN: `${MARK}-env`, SECRET_PATH: `path-${MARK}` } };
}

/** Commands that ask receivers, and others. */
const ASKING = [
  ['check', '--probe'],
  ['deadletter', 'resend'],
];
const LOOKING = [
  ['check', '--json'],
  ['check', '--probe', '--json'],
  ['dry-run', '--show', '2'],
  ['dry-run', '--json'],
  ['offsets', 'list'],
  ['offsets', 'list', '--json'],
  ['deadletter', 'list'],
  ['deadletter', 'list', '--json'],
];

describe('secrets are shown nowhere', { concurrency: 2 }, () => {
  for (const [how, answer] of Object.entries(ANSWERS)) {
    test(`by an agent, by commands, or in the state, where the answer is: ${how}`, { timeout: 90_000 }, async (t) => {
      await using scene = new Scene();
      const { url, requests } = await receiver(t, answer);
      const format = ['rejected items', 'garbage'].includes(how) ? 'elasticsearch' : 'ndjson';
      const { sinks, env } = secretSinks(join(scene.root, 'secrets'), url, url, format);
      const changes = { log: { level: 'trace' }, shutdown_timeout: '1s' };
      const config = withSinks(scene.config(changes), ...sinks);
      scene.write(5);
      const agent = scene.start({ config, env });
      await scene.archived(agent);
      const names = sinks.map(({ name }) => String(name));
      const toldOf = () => new Set(agent.log.map(({ sink }) => sink));
      await agent.waitFor('a word of every sink', () => {
        const told = toldOf();
        return names.every((name) => told.has(name)) && requests.length >= names.length;
      });
      // With a second start there is something of the first in its spool, and in the state.
      await agent.stop();
      assertHidden('the log', JSON.stringify(agent.log));
      const again = await scene.runToEnd({ config, env });
      assertHidden('the log of the second run', JSON.stringify(again.log));
      assertHidden('the state', stateOf(scene.state));
      const database = join(scene.state, 'state.sqlite');
      assertHidden('the database', execFileSync('sqlite3', [database, '.dump'], { encoding: 'utf8' }));

      for (const words of how === 'rejected' ? [...ASKING, ...LOOKING] : ASKING) {
        const file = join(scene.root, 'commands.yaml');
        writeFileSync(file, JSON.stringify(config));
        const { stdout, stderr } = await auditail(
          [...words, '-c', file, ...(words[0] === 'dry-run' ? [scene.log] : [])],
          { env },
        );
        assert.notEqual(stdout + stderr, '', words.join(' '));
        assertHidden(words.join(' '), stdout + stderr);
      }
      // The test would have seen them: they are in the requests.
      const sent = requests.map(({ url: target, headers }) => `${target} ${JSON.stringify(headers)}`).join('\n');
      const basic = Buffer.from(`elastic:${MARK}-basic`).toString('base64');
      const parts = [basic, 'env', 'token', 'key', 'scope', 'query', 'behind', 'of-password'];
      const encoded = Buffer.from(`u:${MARK}-of-password`).toString('base64');
      const unsent = parts.filter((part) => !sent.replaceAll(encoded, 'of-password').includes(part));
      assert.deepEqual(unsent, []);
      assert.match(sent, HIDDEN);
    });
  }

  test('by errors of the configuration, of secret files, and of TLS', async () => {
    await using scene = new Scene();
    const directory = join(scene.root, 'secrets');
    mkdirSync(directory);
    scene.write(1);
    const key = join(directory, 'key.pem');
    writeFileSync(key, `-----BEGIN PRIVATE KEY-----\n${MARK}\n-----END PRIVATE KEY-----\n`);
    const cert = join(directory, 'cert.pem');
    writeFileSync(cert, new TestCa().issue().cert);
    const url = `https://127.0.0.1:1/in-${MARK}?token=${MARK}`;
    const broken: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      'a URL that is none': { url: `htp://${MARK}:${MARK}@host/${MARK}` },
      'a URL with a password': { url: `https://user:${MARK}@host/` },
      'a proxy that is none': { proxy: `socks://${MARK}` },
      'a header with a line end': { headers: { 'X-Key': `${MARK}\nX-Other: 1` } },
      'a token with a line end': { auth: { bearer: `${MARK}\n` } },
      'two kinds of auth': { auth: { bearer: MARK, basic: { username: 'u', password: MARK } } },
      'an unknown key': { auth: { bearer_token: MARK } },
      'a password that is no text': { auth: { basic: { username: 'u', password: [MARK] } } },
      'a key that is none': { tls: { cert_file: cert, key_file: key } },
      'a file that is not there': { auth: { bearer_file: join(directory, 'missing') } },
      'nobody there': {},
    };
    for (const [what, keys] of Object.entries(broken)) {
      const config = withSinks(scene.config(), httpSink('es', url, keys));
      const file = join(scene.root, 'commands.yaml');
      writeFileSync(file, JSON.stringify(config));
      const { stdout, stderr, code } = await auditail(['check', '--probe', '-c', file]);
      assert.notEqual(code, 0, what);
      assertHidden(what, stdout + stderr);
    }
    // One that holds a part of a certificate where a token belongs.
    const token = join(directory, 'token');
    writeFileSync(token, `${MARK}\n${MARK}\n`);
    const config = withSinks(
      scene.config({ shutdown_timeout: '500ms' }),
      httpSink('es', url, { auth: { bearer_file: token } }),
    );
    const { log } = await scene.runToEnd({ config });
    assertHidden('the log', JSON.stringify(log));
  });
});
