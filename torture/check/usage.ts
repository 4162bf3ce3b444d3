import type { Usage } from '../probe.ts';
import { growthOf } from './growth.ts';
import type { Violations } from './violation.ts';

/** Descriptors of Node, SQLite, the watcher, the admin listener, and of connections to two receivers. */
const MAX_OTHER_DESCRIPTORS = 90;

/** Node itself, memory_limit, and batches, spools and answers of two sinks. */
const MAX_RESIDENT_BYTES = 450 * 1024 * 1024;

/** So many looks in a row: a rotation may hold two files for a moment. */
const IN_A_ROW = 5;

export interface UsageResult {
  readonly peakResidentBytes: number;
  readonly peakDescriptors: number;
  /** Processes that lived long enough to tell whether they grow, and others. */
  readonly judged: number;
  readonly unjudged: number;
}

/** Whatever happened, the agent holds no more than its status explains, and no process grows while it lives. */
export function checkUsage(usages: readonly Usage[], violations: Violations): UsageResult {
  checkLimits(usages, violations);
  let judged = 0;
  let unjudged = 0;
  for (const [pid, looks] of Map.groupBy(usages, (usage) => usage.pid)) {
    const quiet = looks.filter(({ isQuiet }) => isQuiet);
    checkFiles(quiet, violations);
    const points = quiet.map(({ atMs, residentBytes, descriptors, files }) => ({
      ...{ atMs, residentBytes },
      otherDescriptors: descriptors - files,
    }));
    const growth = growthOf(points);
    if (growth === undefined) unjudged += 1;
    else judged += 1;
    for (const { what, before, after, limit } of growth ?? []) {
      const allowed = `${Math.round(limit)} would be allowed`;
      violations.add('no growth', `process ${pid}, at rest: ${what} went from ${before} to ${after}; ${allowed}`);
    }
  }
  const peakResidentBytes = Math.max(0, ...usages.map(({ residentBytes }) => residentBytes));
  const peakDescriptors = Math.max(0, ...usages.map(({ descriptors }) => descriptors));
  return { peakResidentBytes, peakDescriptors, judged, unjudged };
}

function checkLimits(usages: readonly Usage[], violations: Violations): void {
  const isOver = ({ descriptors, explained }: Usage) => descriptors - explained > MAX_OTHER_DESCRIPTORS;
  for (const { descriptors, explained } of inARow(usages, isOver)) {
    violations.add('bounded', `${descriptors} descriptors, of which ${explained} are explained`);
  }
  const peak = Math.max(0, ...usages.map(({ residentBytes }) => residentBytes));
  if (peak > MAX_RESIDENT_BYTES) violations.add('bounded', `${peak} bytes of resident memory`);
}

/** At rest each file of the log and the archive that is open is one that the status tells of. */
function checkFiles(quiet: readonly Usage[], violations: Violations): void {
  for (const { pid, files, explained } of inARow(quiet, (usage) => usage.files > usage.explained)) {
    violations.add(
      'bounded',
      `process ${pid}, at rest: ${files} open files of logs and archives, ${explained} are told`,
    );
  }
}

/** Where something held at so many looks in a row: the last of them. */
function* inARow(usages: readonly Usage[], holds: (usage: Usage) => boolean): Generator<Usage> {
  let count = 0;
  for (const usage of usages) {
    count = holds(usage) ? count + 1 : 0;
    if (count === IN_A_ROW) yield usage;
  }
}
