import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import forge from 'node-forge';
import { ChaosReceiver, type ReceiverOptions } from '../../../demo/receivers/chaos-receiver.ts';
import { CHAOS_ACTS, type ChaosAct } from '../../../demo/receivers/chaos-schedule.ts';
import { ElasticsearchStore } from '../../../demo/receivers/elasticsearch-store.ts';
import { REDIRECT_PATH } from '../../../demo/receivers/perform.ts';
import { LOKI } from '../../../demo/receivers/protocols/loki.ts';
import { NDJSON } from '../../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../../demo/receivers/whole-request-store.ts';
import { type Outcome, type SendOptions, send } from './client.ts';

async function startNdjson(t: TestContext, options: Partial<ReceiverOptions> = {}) {
  const store = new WholeRequestStore(NDJSON);
  const receiver = await ChaosReceiver.start({ store, ...options });
  t.after(() => receiver.close());
  const sendLine = (line: string, options: SendOptions = {}): Promise<Outcome> =>
    send(`${receiver.url}/in`, 'application/x-ndjson', `${line}\n`, options);
  return { store, receiver, sendLine };
}

async function startElasticsearch(t: TestContext) {
  const store = new ElasticsearchStore();
  const receiver = await ChaosReceiver.start({ store });
  t.after(() => receiver.close());
  let ids = 0;
  const sendItems = (n: number, options: SendOptions = {}): Promise<Outcome> => {
    const items = Array.from({ length: n }, () => `{"create":{"_index":"a","_id":"${++ids}"}}\n{"n":${ids}}\n`);
    return send(`${receiver.url}/_bulk`, 'application/x-ndjson', items.join(''), options);
  };
  return { store, receiver, sendItems };
}

/** Sends one request after the other that meets this act. */
async function under(act: ChaosAct, receiver: ChaosReceiver, times: number, one: () => Promise<Outcome>) {
  await receiver.behave(() => act);
  const before = receiver.acts.get(act) ?? 0;
  const outcomes: Outcome[] = [];
  for (let i = 0; i < times; i++) outcomes.push(await one());
  assert.equal(receiver.acts.get(act), before + times);
  return outcomes;
}

describe('a receiver that is healthy', () => {
  test('stores, and inflates gzip', async (t) => {
    const { store, receiver } = await startNdjson(t);
    const sent = await send(`${receiver.url}/in?a=b`, 'application/x-ndjson', gzipSync('{"a":1}\n{"a":2}\n'), {
      headers: { 'content-encoding': 'gzip', authorization: 'Bearer abc' },
    });
    assert.deepEqual([sent.status, sent.end], [200, 'whole']);
    assert.deepEqual([store.stored.times('{"a":1}'), store.stored.times('{"a":2}')], [1, 1]);
    const { method, path, headers } = receiver.lastRequest!;
    assert.deepEqual([method, path, headers.authorization], ['POST', '/in?a=b', 'Bearer abc']);
  });

  test('refuses what is not gzip though it says so, and other encodings', async (t) => {
    const { store, sendLine } = await startNdjson(t);
    for (const encoding of ['gzip', 'br']) {
      assert.equal((await sendLine('{}', { headers: { 'content-encoding': encoding } })).status, 400);
    }
    assert.equal(store.stored.total, 0);
  });

  test('answers 413 to a body that is too large once it is inflated', async (t) => {
    const { store, receiver, sendLine } = await startNdjson(t, { maxBodyBytes: 1000 });
    const line = `{"a":"${'x'.repeat(1000)}"}`;
    const small = gzipSync(`${line}\n`);
    assert.ok(small.length < 100);
    const zipped = await send(`${receiver.url}/in`, 'application/x-ndjson', small, {
      headers: { 'content-encoding': 'gzip' },
    });
    assert.deepEqual([zipped.status, (await sendLine(line)).status, (await sendLine('{}')).status], [413, 413, 200]);
    assert.equal(store.stored.total, 1);
  });
});

test('a receiver that is down refuses connections, breaks those that stand, and comes back on its port', async (t) => {
  const { store, receiver, sendLine } = await startNdjson(t);
  await receiver.behave(() => 'hang');
  const hanging = sendLine('{"hangs":1}');
  const idle = connect(Number(new URL(receiver.url).port), '127.0.0.1');
  while (receiver.acts.get('hang') !== 1) await new Promise(setImmediate);
  const broken = once(idle, 'close');
  const { url } = receiver;
  await receiver.down();
  await receiver.down();
  assert.equal((await hanging).end, 'ECONNRESET');
  await broken;
  assert.equal((await sendLine('{"a":1}')).end, 'ECONNREFUSED');
  await receiver.healthy();
  assert.equal(receiver.url, url);
  assert.equal((await sendLine('{"a":2}')).status, 200);
  assert.deepEqual([store.stored.times('{"a":1}'), store.stored.times('{"a":2}')], [0, 1]);
});

describe('a receiver under chaos', () => {
  test('resets connections, with the events stored or not', async (t) => {
    const { store, receiver, sendLine } = await startNdjson(t);
    for (const [act, stored] of [
      ['reset-unread', 0],
      ['reset-before', 0],
      ['reset-after', 1],
    ] as const) {
      const [outcome] = await under(act, receiver, 1, () => sendLine('{}'));
      assert.deepEqual([outcome?.end, outcome?.status, store.stored.total], ['ECONNRESET', undefined, stored], act);
    }
  });

  test('hangs until the client gives up', async (t) => {
    const { receiver, sendLine } = await startNdjson(t);
    const [outcome] = await under('hang', receiver, 1, () => sendLine('{}', { timeoutMs: 300 }));
    assert.deepEqual([outcome?.end, outcome?.status], ['timeout', undefined]);
  });

  test('answers in drops, and rightly', async (t) => {
    const { store, receiver, sendItems } = await startElasticsearch(t);
    const [outcome] = await under('drip', receiver, 1, () => sendItems(3));
    assert.deepEqual([outcome?.end, JSON.parse(outcome!.body).items.length, store.stored.total], ['whole', 3, 3]);
  });

  test('answers without end: slowly, and as fast as it is read', async (t) => {
    const { store, receiver, sendItems } = await startElasticsearch(t);
    const [slow] = await under('endless', receiver, 1, () => sendItems(1, { timeoutMs: 1000 }));
    assert.deepEqual([slow?.end, slow?.status, JSON.parse(slow!.body).errors], ['timeout', 200, false]);
    const [fast] = await under('flood', receiver, 1, () => sendItems(1));
    assert.deepEqual([fast?.end, fast?.status, store.stored.total], ['enough', 200, 2]);
  });

  test('refuses items, and stores exactly the others', async (t) => {
    for (const [act, refused] of [
      ['partial-busy', [429, 503]],
      ['partial-rejected', [400, 429, 503]],
    ] as const) {
      const { store, receiver, sendItems } = await startElasticsearch(t);
      const [outcome] = await under(act, receiver, 1, () => sendItems(200));
      const { errors, items } = JSON.parse(outcome!.body) as {
        errors: boolean;
        items: { create: { status: number; _id: string } }[];
      };
      assert.equal(errors, true);
      assert.deepEqual([...new Set(items.map(({ create }) => create.status))].toSorted(), [201, ...refused]);
      for (const { create } of items)
        assert.equal(store.stored.times(`{"n":${create._id}}`), create.status === 201 ? 1 : 0);
    }
  });

  test('says 200 in ways that confirm no item, with the events stored or not', async (t) => {
    const { store, receiver, sendItems } = await startElasticsearch(t);
    for (const outcome of await under('garbage', receiver, 20, () => sendItems(1))) {
      assert.deepEqual([outcome.status, outcome.end], [200, 'whole']);
      assert.doesNotMatch(outcome.body, /"status"/);
    }
    assert.ok(store.stored.total > 0 && store.stored.total < 20, `${store.stored.total} of 20`);
    const before = store.stored.total;
    for (const outcome of await under('cut', receiver, 20, () => sendItems(1))) {
      assert.deepEqual([outcome.status, outcome.end], [200, 'ECONNRESET']);
    }
    const stored = store.stored.total - before;
    assert.ok(stored > 0 && stored < 20, `${stored} of 20`);
  });

  test('says 200 only when it stored, where the status alone confirms', async (t) => {
    const { store, receiver, sendLine } = await startNdjson(t);
    for (const act of ['garbage', 'cut'] as const) {
      const before = store.stored.total;
      for (const { status } of await under(act, receiver, 10, () => sendLine('{}'))) assert.equal(status, 200);
      assert.equal(store.stored.total, before + 10, act);
    }
  });

  test('cuts an answer without a body in its head', async () => {
    const store = new WholeRequestStore(LOKI);
    await using receiver = await ChaosReceiver.start({ store });
    const body = JSON.stringify({ streams: [{ stream: { a: 'b' }, values: [['1767225600000000000', '{}']] }] });
    assert.equal((await send(`${receiver.url}/loki/api/v1/push`, 'application/json', body)).status, 204);
    await receiver.behave(() => 'cut');
    const socket = connect(Number(new URL(receiver.url).port), '127.0.0.1');
    socket.write(
      'POST /loki/api/v1/push HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n' +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    assert.equal(await text(socket), 'HTTP/1.1 200 OK\r\ncontent-le');
    assert.equal(store.stored.total, 2);
  });

  test('refuses with each status, with what belongs to it', async (t) => {
    const { receiver, sendLine } = await startNdjson(t);
    for (const act of CHAOS_ACTS.filter((name) => name.startsWith('status-'))) {
      const [outcome] = await under(act, receiver, 1, () => sendLine('{}'));
      assert.deepEqual([outcome?.status, outcome?.end], [Number(act.slice(7, 10)), 'whole'], act);
      if (act === 'status-302') assert.equal(outcome?.headers?.location, REDIRECT_PATH);
      if (act === 'status-429-seconds') assert.equal(outcome?.headers?.['retry-after'], '1');
      if (act === 'status-429-date') {
        const wait = Date.parse(outcome!.headers!['retry-after']!) - Date.now();
        assert.ok(wait > 0 && wait <= 1500, `${wait} ms`);
      }
    }
  });

  test('stores nothing of what it refuses for good, and now and then what a server failed on', async (t) => {
    const { store, receiver, sendLine } = await startNdjson(t);
    for (const status of [302, 400, 401, 404, 409, 413])
      await under(`status-${status}` as ChaosAct, receiver, 5, () => sendLine('{}'));
    assert.equal(store.stored.total, 0);
    await under('status-503', receiver, 20, () => sendLine('{}'));
    assert.ok(store.stored.total > 0 && store.stored.total < 20, `${store.stored.total} of 20`);
  });

  test('tells who follows a redirect', async (t) => {
    const { receiver } = await startNdjson(t);
    assert.equal(receiver.strayed, 0);
    await fetch(`${receiver.url}/in`, { method: 'POST', body: 'x' });
    await receiver.behave(({ path }) => (path === REDIRECT_PATH ? 'accept' : 'status-302'));
    await (await fetch(`${receiver.url}/in`, { method: 'POST', body: 'x' })).text();
    assert.equal(receiver.strayed, 1);
  });

  test('does the same for the same seed, and only what its store can do', async (t) => {
    const acts = async (seed: number): Promise<[ChaosAct, number][]> => {
      const { receiver } = await startNdjson(t);
      await receiver.chaos(seed, {
        accept: 1,
        'status-400': 1,
        'status-500': 2,
        'partial-busy': 5,
        'partial-rejected': 5,
      });
      for (let i = 0; i < 6; i++) await send(`${receiver.url}/in`, 'application/x-ndjson', '{}\n');
      return [...receiver.acts];
    };
    const first = await acts(3);
    assert.deepEqual(await acts(3), first);
    assert.deepEqual(first.map(([act]) => act).toSorted(), ['accept', 'status-400', 'status-500']);
  });
});

test('a failure of the receiver itself comes out when it is closed', async () => {
  const store = new WholeRequestStore({
    decode: () => {
      throw new RangeError('a mistake');
    },
    success: { status: 200, contentType: 'text/plain', body: '' },
    refusal: String,
  });
  const receiver = await ChaosReceiver.start({ store });
  assert.equal((await send(receiver.url, 'text/plain', '{}')).end, 'ECONNRESET');
  await assert.rejects(receiver.close(), (error: AggregateError) => /a mistake/.test(error.errors[0]?.message));
});

/** A key, and a certificate that it signed itself. */
function selfSigned(): { key: string; cert: string } {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = '01';
  certificate.validity.notAfter.setFullYear(certificate.validity.notBefore.getFullYear() + 1);
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha256.create());
  return { key: pair.privateKey, cert: forge.pki.certificateToPem(certificate) };
}

test('a receiver with TLS accepts, breaks connections and goes down as one without', async (t) => {
  const { store, receiver, sendLine } = await startNdjson(t, { tls: selfSigned() });
  assert.match(receiver.url, /^https:/);
  assert.equal((await sendLine('{}')).status, 200);
  const [broken] = await under('reset-after', receiver, 1, () => sendLine('{}'));
  assert.deepEqual([broken?.end, store.stored.total], ['ECONNRESET', 2]);
  await receiver.down();
  assert.equal((await sendLine('{}')).end, 'ECONNREFUSED');
});
