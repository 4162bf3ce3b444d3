import { type Answer, type ReceivedRequest, Refusal, type Store, type StoreOptions } from './store.ts';
import { Tally } from './tally.ts';

/** A protocol that takes or refuses a request as a whole. */
export interface Protocol {
  /**
   * The events of a request, as the bytes that they had in the log.
   *
   * @throws Refusal for what the protocol does not allow, SyntaxError or TypeError for a body that is not JSON in UTF-8.
   */
  decode(request: ReceivedRequest): Iterable<Buffer>;
  /** What the receiver says when it stored all. */
  readonly success: Answer;
  /** The body of an answer that refuses, as JSON. `position` is that of the event at fault, where it is known. */
  refusal(reason: string, position?: number): unknown;
}

/** Stores all events of a request, or none: one poisonous event makes the request a 400. */
export class WholeRequestStore implements Store {
  readonly confirmsItems = false;
  readonly stored: Tally;
  readonly #protocol: Protocol;
  readonly #options: StoreOptions;

  constructor(protocol: Protocol, options: StoreOptions = {}) {
    this.#protocol = protocol;
    this.#options = options;
    this.stored = new Tally(options);
  }

  take(request: ReceivedRequest): Answer {
    let events: Buffer[];
    try {
      events = [...this.#protocol.decode(request)];
      if (events.length === 0) throw new Refusal('the request holds no event');
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof SyntaxError || error instanceof TypeError)) throw error;
      return this.#refuse(error instanceof Refusal ? error.status : 400, error.message);
    }
    const poison = events.findIndex((line) => this.#options.poison?.(line) === true);
    if (poison !== -1) return this.#refuse(400, `event ${poison} is not acceptable`, poison);
    for (const line of events) this.stored.add(line);
    return this.#protocol.success;
  }

  #refuse(status: number, reason: string, position?: number): Answer {
    const body = JSON.stringify(this.#protocol.refusal(reason, position));
    return { status, contentType: 'application/json', body };
  }
}
