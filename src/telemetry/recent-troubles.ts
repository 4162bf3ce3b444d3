/** A warning or an error as the log had it, for who asks what went wrong lately. */
export interface Trouble {
  readonly level: 'warn' | 'error';
  readonly message: string;
  /** The name of the sink or source that it is about. */
  readonly sink: string | undefined;
  readonly source: string | undefined;
  /** What the log line said besides: reasons, paths, numbers. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** When it was logged first and last, epoch milliseconds, and how often. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

/** Different troubles that are kept; the one that came longest ago makes room. */
const MAX_TROUBLES = 64;

/** Names and texts in them may come from attackers. */
const MAX_TEXT_LENGTH = 500;

/**
 * The warnings and errors that were logged lately, one entry for each message and what it is about. The log is free of
 * secrets, so this is.
 */
export class RecentTroubles {
  /** Lines logged since the start, by level. */
  readonly counts = { warn: 0, error: 0 };
  readonly #now: () => number;
  readonly #troubles = new Map<string, Trouble>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  add(level: 'warn' | 'error', fields: Readonly<Record<string, unknown>>, message: string): void {
    this.counts[level] += 1;
    const sink = nameIn(fields.sink);
    const source = nameIn(fields.source);
    const key = JSON.stringify([level, message, sink, source]);
    const before = this.#troubles.get(key);
    // Last in the order of insertion is what came last.
    this.#troubles.delete(key);
    const at = this.#now();
    this.#troubles.set(key, {
      level,
      message,
      sink,
      source,
      fields: shown(fields),
      firstAt: before?.firstAt ?? at,
      lastAt: at,
      count: (before?.count ?? 0) + 1,
    });
    if (this.#troubles.size <= MAX_TROUBLES) return;
    const [oldest] = this.#troubles.keys();
    this.#troubles.delete(oldest!);
  }

  /** Newest first. */
  list(): readonly Trouble[] {
    return [...this.#troubles.values()].reverse();
  }
}

function shown(fields: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> {
  const kept: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'sink' || key === 'source') continue;
    if (typeof value === 'string') kept[key] = value.slice(0, MAX_TEXT_LENGTH);
    else if (typeof value === 'number' || typeof value === 'boolean') kept[key] = value;
  }
  return kept;
}

function nameIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : undefined;
}
