import { WEIGHTS } from '../demo/condition-plan.ts';
import { ChaosReceiver } from '../demo/receivers/chaos-receiver.ts';
import { EVERYTHING } from '../demo/receivers/chaos-schedule.ts';
import type { Store } from '../demo/receivers/store.ts';
import type { ReceiverStep } from './plan.ts';

/** A receiver, and what happens to it. */
export class TorturedReceiver {
  readonly #receiver: ChaosReceiver;

  private constructor(receiver: ChaosReceiver) {
    this.#receiver = receiver;
  }

  static async start(store: Store): Promise<TorturedReceiver> {
    return new TorturedReceiver(await ChaosReceiver.start({ store }));
  }

  get url(): string {
    return this.#receiver.url;
  }

  /** What it did to its requests. */
  get acts(): ReadonlyMap<string, number> {
    return this.#receiver.acts;
  }

  async become({ condition, seed }: ReceiverStep): Promise<void> {
    const receiver = this.#receiver;
    if (condition === 'well') await receiver.healthy();
    else if (condition === 'closed') await receiver.down();
    else if (condition === 'slow') await receiver.behave(() => 'drip');
    else await receiver.chaos(seed, condition === 'everything' ? EVERYTHING : WEIGHTS[condition]);
  }

  async heal(): Promise<void> {
    await this.#receiver.healthy();
  }

  /** @throws AggregateError when it failed by itself. */
  async close(): Promise<void> {
    await this.#receiver.close();
  }
}
