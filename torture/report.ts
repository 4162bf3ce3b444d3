import type { RoundResult } from './round.ts';

const MIB = 1024 * 1024;

/** How the round is run again. */
export function replayCommand(seed: number, minutes: number): string {
  return `npm run torture -- --seed ${seed} --minutes ${minutes}`;
}

/** The table of faults, what was lost rightly, and the verdict, as text. */
export function describeRound(result: RoundResult): string {
  const { plan, tally, violations, excused, directory } = result;
  const rows = [...tally.done].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(5, ...rows.map(([fault]) => fault.length));
  const lines = [
    `${'fault'.padEnd(width)}  times`,
    ...rows.map(([fault, times]) => `${fault.padEnd(width)}  ${String(times).padStart(5)}`),
    ...[...tally.leftOut].map(([fault, why]) => `left out: ${fault}, since ${why}`),
    '',
    `lines in the archive: ${result.archived} of ${result.lines}`,
    ...[...excused].map(([why, count]) => `  ${why}: ${count}`),
    `the agent was at its work, with nothing failing, for ${Math.round(result.awakeMs / 1000)} s`,
    `gaps told: ${result.gaps}; at most ${Math.round(result.peakResidentBytes / MIB)} MiB resident memory and ${result.peakDescriptors} descriptors`,
    `growth: ${result.judged} processes were at rest often enough to be judged; ${result.unjudged} lived too short for that`,
    '',
  ];
  for (const { rule, text } of violations.list) lines.push(`VIOLATION ${rule}: ${text}`);
  for (const [rule, count] of violations.counts) lines.push(`violations of "${rule}": ${count}`);
  lines.push(
    `torture: seed ${plan.seed}, ${result.lines} lines, ${result.starts - 1} restarts, ${violations.total} violations`,
  );
  if (directory !== undefined) {
    lines.push(
      `kept: ${directory} (steps.log: what was done when; agent.log: what the agents said; parts.json: what became of each file; usages.json: what processes used; log, archive, state, taken)`,
      `replay: ${replayCommand(plan.seed, plan.minutes)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
