import type { TimeField } from '../config/types.ts';
import { type EventScanner, STRING } from '../event/scanner.ts';
import { parseTimestamp } from '../event/timestamp.ts';

/** Kubernetes had no audit log before; an older time is a fault, and would make files for hours that never were. */
const EARLIEST = Date.UTC(2014, 5, 1);

/** A time further ahead of the host's clock than this is a fault. */
const MAX_AHEAD_MS = 24 * 3600 * 1000;

/** The fields that times are read from, as scanner paths. */
export const TIME_PATHS = ['stageTimestamp', 'requestReceivedTimestamp'] as const;

/** Reads an event's time from the fields that a sink's `time` names, in their order. */
export class EventTime {
  readonly #scanner: EventScanner;
  readonly #indexes: readonly number[];
  readonly #now: () => number;

  /** @param paths the scanner's paths, which must hold {@link TIME_PATHS}. */
  constructor(scanner: EventScanner, paths: readonly string[], fields: readonly TimeField[], now: () => number) {
    this.#scanner = scanner;
    const arrival = fields.indexOf('arrival');
    this.#indexes = (arrival < 0 ? fields : fields.slice(0, arrival)).map((field) => paths.indexOf(field));
    this.#now = now;
  }

  /** Milliseconds since the epoch, of the event scanned last in `buffer`; undefined when only its arrival is known. */
  of(buffer: Buffer): number | undefined {
    const { kinds, starts, ends } = this.#scanner;
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i += 1) {
      const index = indexes[i]!;
      if (kinds[index] !== STRING) continue;
      const time = parseTimestamp(buffer, starts[index]!, ends[index]!);
      if (time !== undefined && time >= EARLIEST && time <= this.#now() + MAX_AHEAD_MS) return time;
    }
    return undefined;
  }
}
