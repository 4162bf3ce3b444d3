import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChaosReceiver } from '../../../demo/receivers/chaos-receiver.ts';
import { type ChaosWeights, NOTHING_REJECTED } from '../../../demo/receivers/chaos-schedule.ts';
import { ElasticsearchStore } from '../../../demo/receivers/elasticsearch-store.ts';
import { NDJSON } from '../../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../../demo/receivers/whole-request-store.ts';
import { hashLine, LineMultiset } from '../../helpers/line-multiset.ts';
import { type Outcome, send } from './client.ts';

// Whatever a receiver does, a client that believes only what was confirmed, and sends the rest again, must not be able to
// lose anything: otherwise a loss in a test under chaos would say nothing about the sender.

const EVENTS = 400;
const BATCH = 20;
const SEEDS = [1, 2];

/** Acts that last for ever use it up; one that was only slow is sent again, which changes nothing. */
const TIMEOUT_MS = 250;

const WEIGHTS: ChaosWeights = { ...NOTHING_REJECTED, accept: 6 };

const lines = Array.from({ length: EVENTS }, (_, n) => `{"n":${n}}`);

function written(): LineMultiset {
  const set = new LineMultiset();
  for (const line of lines) set.expect(hashLine(line));
  return set;
}

/** Sends batches from the front of the queue, and what was not confirmed again behind the others. */
async function deliver(
  post: (batch: readonly string[]) => Promise<Outcome>,
  unconfirmed: (batch: readonly string[], outcome: Outcome) => readonly string[],
): Promise<void> {
  for (let queue = [...lines]; queue.length > 0; ) {
    const batch = queue.slice(0, BATCH);
    queue = [...queue.slice(BATCH), ...unconfirmed(batch, await post(batch))];
  }
}

function unconfirmedItems(batch: readonly string[], { status, body, end }: Outcome): readonly string[] {
  if (status !== 200 || end !== 'whole') return batch;
  let items: ({ create?: { status?: number } } | null)[];
  try {
    items = JSON.parse(body)?.items;
  } catch {
    return batch;
  }
  if (!Array.isArray(items) || items.length !== batch.length) return batch;
  return batch.filter((_, i) => ![201, 409].includes(items[i]?.create?.status ?? 0));
}

describe('a client that believes only what is confirmed loses nothing', () => {
  for (const seed of SEEDS) {
    test(`item by item, and stores nothing twice (seed ${seed})`, { timeout: 60_000 }, async () => {
      const store = new ElasticsearchStore();
      await using receiver = await ChaosReceiver.start({ store });
      await receiver.chaos(seed, WEIGHTS);
      await deliver((batch) => {
        const items = batch.map(
          (line) => `{"create":{"_index":"a","_id":"${hashLine(line).toString('hex')}"}}\n${line}\n`,
        );
        return send(`${receiver.url}/_bulk`, 'application/x-ndjson', items.join(''), { timeoutMs: TIMEOUT_MS });
      }, unconfirmedItems);
      assert.deepEqual(store.stored.compare(written()), { lost: 0, duplicated: 0, foreign: 0 });
      assert.ok(store.conflicts > 0, 'something was stored and not confirmed');
    });

    test(`by the status alone (seed ${seed})`, { timeout: 60_000 }, async () => {
      const store = new WholeRequestStore(NDJSON);
      await using receiver = await ChaosReceiver.start({ store });
      await receiver.chaos(seed, WEIGHTS);
      await deliver(
        (batch) => send(receiver.url, 'application/x-ndjson', `${batch.join('\n')}\n`, { timeoutMs: TIMEOUT_MS }),
        (batch, { status }) => (status === 200 ? [] : batch),
      );
      const { lost, foreign } = store.stored.compare(written());
      assert.deepEqual({ lost, foreign }, { lost: 0, foreign: 0 });
    });
  }
});
