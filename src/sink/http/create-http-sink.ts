import { setTimeout as delay } from 'node:timers/promises';
import type { DeadLetterStore } from '../../checkpoint/dead-letter-store.ts';
import type { SpoolRecords } from '../../checkpoint/spool-records.ts';
import type { Durability, HttpSinkConfig } from '../../config/types.ts';
import type { HttpOccurrences } from '../../telemetry/http-occurrences.ts';
import { createChannel } from './channel.ts';
import { systemClock } from './clock.ts';
import { Delivery } from './delivery.ts';
import { HttpSink } from './http-sink.ts';
import { Spool } from './spool/spool.ts';

export interface HttpSinkSurroundings {
  readonly stateDir: string;
  readonly durability: Durability;
  readonly occurrences: HttpOccurrences;
  readonly spools: SpoolRecords;
  readonly deadLetters: DeadLetterStore;
  /** Bytes that the sink may hold in memory. */
  readonly share: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The agent's loop has something to look at. */
  readonly wake: () => void;
}

/** Makes an HTTP sink of its configuration. Nothing is opened or sent before its start. */
export function createHttpSink(config: HttpSinkConfig, surroundings: HttpSinkSurroundings): HttpSink {
  const { stateDir, durability, occurrences, spools, deadLetters, share, now, wake } = surroundings;
  const { format, transport } = createChannel(config, { now, occurrences });
  const delivery = new Delivery({
    sink: config,
    format,
    transport,
    deadLetters: deadLetters.box(config.name, config.deadletter, occurrences, now),
    occurrences,
    now: systemClock.now,
    random: Math.random,
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
  });
  return new HttpSink(config, {
    deliver: (batch, signal) => delivery.deliver(batch, signal),
    openSpool: () =>
      Spool.open({ stateDir, sink: config.name, config: config.spool, records: spools, occurrences, durability }),
    occurrences,
    share,
    clock: systemClock,
    wake,
    close: () => transport.close(),
  });
}
