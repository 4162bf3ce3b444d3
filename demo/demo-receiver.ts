import type { LineMultiset } from '../test/helpers/line-multiset.ts';
import { CONDITION_PLANS, type Condition, WEIGHTS } from './condition-plan.ts';
import { ChaosReceiver } from './receivers/chaos-receiver.ts';
import type { ChaosAct } from './receivers/chaos-schedule.ts';
import { ElasticsearchStore } from './receivers/elasticsearch-store.ts';
import { NDJSON } from './receivers/protocols/ndjson.ts';
import type { Store } from './receivers/store.ts';
import type { Difference } from './receivers/tally.ts';
import { WholeRequestStore } from './receivers/whole-request-store.ts';
import type { WriterProcess } from './writer-process.ts';

/** A format that the demo has a receiver for; the sink and the receiver are named after it. */
export type ReceiverName = keyof typeof CONDITION_PLANS;

export interface ReceiverResult extends Difference {
  readonly name: ReceiverName;
  /** Whether events that are sent again are told apart, so that none may be there twice. */
  readonly isExactlyOnce: boolean;
  /** Events that it holds, repetitions included. */
  readonly stored: number;
  /** Events that were sent again and recognised by their id. */
  readonly recognised: number;
  readonly acts: ReadonlyMap<ChaosAct, number>;
}

/** A receiver of the demo and what goes wrong with it. */
export class DemoReceiver {
  readonly name: ReceiverName;
  condition: Condition = 'well';
  readonly #store: Store;
  readonly #receiver: ChaosReceiver;
  readonly #seed: number;

  private constructor(name: ReceiverName, store: Store, receiver: ChaosReceiver, seed: number) {
    this.name = name;
    this.#store = store;
    this.#receiver = receiver;
    this.#seed = seed;
  }

  /** @param seed decides what it does to which request. */
  static async start(name: ReceiverName, seed: number): Promise<DemoReceiver> {
    const store = name === 'elasticsearch' ? new ElasticsearchStore() : new WholeRequestStore(NDJSON);
    return new DemoReceiver(name, store, await ChaosReceiver.start({ store }), seed);
  }

  /**
   * The sink that sends to it. Small batches make many requests in a short demo, and short pauses and time limits let it
   * end in time; the spool is entered soon, so that the kills meet it.
   */
  get sinkConfig(): Record<string, unknown> {
    return {
      name: this.name,
      type: 'http',
      format: this.name,
      url: this.#receiver.url,
      batch: { events: 250, age: '100ms' },
      timeout: '1s',
      retry: { min: '50ms', max: '1s' },
      spool: { after: '1s' },
    };
  }

  /** Events that it holds now, repetitions included. */
  get stored(): number {
    return this.#store.stored.total;
  }

  /** Changes its condition as planned. @throws Error when the writer ends before it is done. */
  async followPlan(writer: WriterProcess, events: number, onChange: () => void): Promise<void> {
    for (const { at, condition } of CONDITION_PLANS[this.name]) {
      await writer.reached(Math.floor(events * at));
      await this.#become(condition);
      onChange();
    }
  }

  async #become(condition: Condition): Promise<void> {
    if (condition === 'well') await this.#receiver.healthy();
    else if (condition === 'closed') await this.#receiver.down();
    else await this.#receiver.chaos(this.#seed, WEIGHTS[condition]);
    this.condition = condition;
  }

  /** Ends it and compares what it holds with what was written. @throws AggregateError when it failed by itself. */
  async finish(expected: LineMultiset): Promise<ReceiverResult> {
    await this.#receiver.close();
    const store = this.#store;
    return {
      name: this.name,
      ...store.stored.compare(expected),
      isExactlyOnce: store.confirmsItems,
      stored: this.stored,
      recognised: store instanceof ElasticsearchStore ? store.conflicts : 0,
      acts: this.#receiver.acts,
    };
  }
}
