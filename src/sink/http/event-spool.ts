import type { SpoolPlace } from '../../checkpoint/spool-records.ts';
import type { HttpEvent } from './http-event.ts';

/** What an HTTP sink needs of its spool: events on disk, in order, that are acknowledged in any order. */
export interface EventSpool<Receipt = unknown> {
  /** Nothing is in it that was not acknowledged. */
  readonly isEmpty: boolean;
  /** Whether it takes more; always with `drop_oldest`. */
  readonly hasRoom: boolean;
  /** What is in it and was not acknowledged. */
  readonly events: number;
  readonly bytes: number;
  /**
   * Takes events behind all others. They are in the spool once {@link flush} has resolved; where that rejects, none of
   * those since the last one are.
   *
   * @param options.held the caller sends them itself: {@link read} leaves them out.
   */
  append(events: readonly HttpEvent[], options: { held: boolean }): Receipt;
  flush(): Promise<void>;
  /** The next events, in order, as many as the limits allow and at least one; undefined when there are none now. */
  read(limits: {
    events: number;
    bytes: number;
  }): Promise<{ events: readonly HttpEvent[]; receipt: Receipt } | undefined>;
  /** The events were delivered, or made dead letters. */
  ack(receipt: Receipt): void;
  /** Up to where everything is acknowledged; undefined when nothing was since it was stored last. */
  place(): SpoolPlace | undefined;
  /** The place is durable: files before it are deleted. */
  committed(place: SpoolPlace): Promise<void> | void;
  close(): Promise<void>;
}
