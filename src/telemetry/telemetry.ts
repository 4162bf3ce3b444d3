import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Logger } from './logger.ts';
import { RateLimit } from './rate-limit.ts';

/** Repeats of one warning within this time are counted and told with the next one that is let through. */
const REPEAT_INTERVAL_MS = 10_000;

/** Seconds: from a sync of a fast disk or an answer on the same host, to one that timed out. */
const DURATION_BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 60];

/**
 * Where an occurrence is both logged and counted. Each area (source, archive, agent) has one file of named functions
 * over this class, so that no log line exists without its metric.
 */
export class Telemetry {
  /** Changes with the configuration: asked for at each use. */
  log: Logger;
  readonly registry = new Registry();
  readonly #repeats: RateLimit;

  constructor(log: Logger, now: () => number = Date.now) {
    this.log = log;
    this.#repeats = new RateLimit(REPEAT_INTERVAL_MS, now);
  }

  /** A counter `auditail_<name>`; the same name gives the same counter. */
  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    const full = `auditail_${name}`;
    const existing = this.registry.getSingleMetric(full) as Counter<L> | undefined;
    return existing ?? new Counter({ name: full, help, labelNames, registers: [this.registry] });
  }

  /** A gauge `auditail_<name>`; the same name gives the same gauge. */
  gauge<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    const full = `auditail_${name}`;
    const existing = this.registry.getSingleMetric(full) as Gauge<L> | undefined;
    return existing ?? new Gauge({ name: full, help, labelNames, registers: [this.registry] });
  }

  /** A histogram of durations `auditail_<name>`, in seconds; the same name gives the same histogram. */
  durations<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Histogram<L> {
    const full = `auditail_${name}`;
    const existing = this.registry.getSingleMetric(full) as Histogram<L> | undefined;
    const options = { name: full, help, labelNames, buckets: DURATION_BUCKETS, registers: [this.registry] };
    return existing ?? new Histogram(options);
  }

  /** Logs a warning at most once per `key` and interval; the next one says how many were held back. */
  warnLimited(key: string, fields: Record<string, unknown>, message: string): void {
    this.#limited('warn', key, fields, message);
  }

  /** The same for what is worth telling and no trouble. Warnings have keys of their own. */
  infoLimited(key: string, fields: Record<string, unknown>, message: string): void {
    this.#limited('info', key, fields, message);
  }

  /** Drops what gauges tell of a sink or a source that is no more; counters stay, as everywhere with Prometheus. */
  async forget(label: 'sink' | 'source', value: string): Promise<void> {
    for (const metric of this.registry.getMetricsAsArray()) {
      if (!(metric instanceof Gauge)) continue;
      const { values } = await metric.get();
      for (const { labels } of values) if (labels[label] === value) metric.remove(labels);
    }
  }

  #limited(level: 'info' | 'warn', key: string, fields: Record<string, unknown>, message: string): void {
    const suppressed = this.#repeats.allow(`${level} ${key}`);
    if (suppressed === undefined) return;
    this.log[level](suppressed > 0 ? { ...fields, repeated: suppressed } : fields, message);
  }
}
