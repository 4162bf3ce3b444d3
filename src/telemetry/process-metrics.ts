import { readdirSync } from 'node:fs';
import type { Telemetry } from './telemetry.ts';

const MICROSECONDS = 1_000_000;

/**
 * What Prometheus client libraries tell of a process. Those of prom-client itself keep a timer running for the event
 * loop's delay, and this program is to do nothing when there is nothing to do.
 */
export function setProcessMetrics(telemetry: Telemetry): void {
  const { user, system } = process.cpuUsage();
  const cpu = telemetry.counter('process_cpu_seconds_total', 'Processor time used, user and system');
  cpu.reset();
  cpu.inc((user + system) / MICROSECONDS);
  telemetry.gauge('process_resident_memory_bytes', 'Memory that is resident').set(process.memoryUsage.rss());
  telemetry.gauge('process_uptime_seconds', 'Time since the start of the process').set(process.uptime());
  const descriptors = openDescriptors();
  if (descriptors === undefined) return;
  telemetry.gauge('process_open_fds', 'Open file descriptors of the process').set(descriptors);
}

/** Undefined where there is no /proc. */
function openDescriptors(): number | undefined {
  try {
    // The one that reads the directory is among them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
