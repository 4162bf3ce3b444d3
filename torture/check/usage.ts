import type { Usage } from '../probe.ts';
import type { Violations } from './violation.ts';

/** Descriptors of Node, SQLite, the watcher, the admin listener, and of connections to two receivers. */
const MAX_OTHER_DESCRIPTORS = 90;

/** Node itself, memory_limit, and batches, spools and answers of two sinks. */
const MAX_RESIDENT_BYTES = 450 * 1024 * 1024;

/** So many looks in a row: a rotation may hold two files for a moment. */
const IN_A_ROW = 5;

/** Whatever happened, the agent holds no more than its status explains. */
export function checkUsage(
  usages: readonly Usage[],
  violations: Violations,
): { peakResidentBytes: number; peakDescriptors: number } {
  let inARow = 0;
  let peakResidentBytes = 0;
  let peakDescriptors = 0;
  for (const { descriptors, explained, residentBytes } of usages) {
    inARow = descriptors - explained > MAX_OTHER_DESCRIPTORS ? inARow + 1 : 0;
    if (inARow === IN_A_ROW)
      violations.add('bounded', `${descriptors} descriptors, of which ${explained} are explained`);
    peakResidentBytes = Math.max(peakResidentBytes, residentBytes);
    peakDescriptors = Math.max(peakDescriptors, descriptors);
  }
  if (peakResidentBytes > MAX_RESIDENT_BYTES)
    violations.add('bounded', `${peakResidentBytes} bytes of resident memory`);
  return { peakResidentBytes, peakDescriptors };
}
