import type { Tally } from '../../demo/receivers/tally.ts';
import type { Line } from '../log-model.ts';
import type { Timeline } from '../timeline.ts';
import { type ArchiveEvidence, type ArchiveLines, readArchive } from './archive-lines.ts';
import { Losses, type ToldGap } from './gaps.ts';
import type { Violations } from './violation.ts';

/** A dead letter as `auditail deadletter list --json` prints it. */
export interface ToldLetter {
  readonly sink: string;
  readonly raw?: string;
}

export interface Evidence extends ArchiveEvidence {
  readonly gaps: readonly ToldGap[];
  readonly timeline: Timeline;
  readonly sinks: readonly SinkEvidence[];
  /** Everything that was printed, by what printed it. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly secret: string;
}

export interface SinkEvidence {
  readonly name: string;
  readonly stored: Tally;
  /** Hashes of the lines of its dead letters. */
  readonly letters: ReadonlySet<string>;
  /** Whether events that are sent again are told apart, so that none may be there twice. */
  readonly isExactlyOnce: boolean;
}

export interface CheckResult {
  readonly archived: number;
  /** Lines that are missing rightly, by why. */
  readonly excused: ReadonlyMap<string, number>;
}

/** Sets what came out against what went in. It knows nothing of the agent but what it says to everybody. */
export async function check(evidence: Evidence, violations: Violations): Promise<CheckResult> {
  const { model, timeline, gaps } = evidence;
  const losses = new Losses(gaps, timeline, model.parts);
  const archive = await readArchive(evidence, violations);
  const excused = new Map<string, number>();
  for (const line of model.lines) {
    const why = checkLine(line, archive, losses, violations);
    if (why !== undefined) excused.set(why, (excused.get(why) ?? 0) + 1);
  }
  losses.checkGaps(violations);
  for (const sink of evidence.sinks) checkSink(sink, model.lines, { archive, losses, violations });
  for (const [name, text] of evidence.outputs) checkSecret(name, text, evidence.secret, violations);
  return { archived: archive.times.size, excused };
}

function checkLine(line: Line, archive: ArchiveLines, losses: Losses, violations: Violations): string | undefined {
  const times = archive.times.get(line) ?? 0;
  if (times > 1) violations.add('exactly once', `${times} times in the archive: ${describe(line)}`);
  if (times > 0 && archive.committed.has(line)) {
    violations.add('exactly once', `archived again after its file was taken away: ${describe(line)}`);
  }
  if (times > 0) return undefined;
  if (archive.taken.has(line)) return 'in an archive file that somebody took away';
  const why = losses.excuse(line);
  if (why === undefined) violations.add('nothing lost', `not in the archive: ${describe(line)}`);
  return why === 'gap' ? 'in a gap that was told' : why && 'gone before the agent could see it';
}

function checkSink(
  { name, stored, letters, isExactlyOnce }: SinkEvidence,
  lines: readonly Line[],
  { archive, losses, violations }: { archive: ArchiveLines; losses: Losses; violations: Violations },
): void {
  for (const line of lines) {
    // What is no event comes in a wrapper, as a stub, or not at all.
    if (line.kind !== 'event') continue;
    const times = stored.timesOfHash(Buffer.from(line.hash, 'hex'));
    if (times > 1 && isExactlyOnce) violations.add(`${name}: exactly once`, `${times} times: ${describe(line)}`);
    const wasRead = archive.times.has(line) || archive.taken.has(line);
    if (times > 0 || letters.has(line.hash) || !wasRead) continue;
    if (losses.excuse(line, name) === undefined) violations.add(`${name}: nothing lost`, describe(line));
  }
}

function checkSecret(name: string, text: string, secret: string, violations: Violations): void {
  const at = text.indexOf(secret);
  if (at !== -1) violations.add('no secret', `${name}: …${text.slice(Math.max(0, at - 100), at + secret.length)}`);
}

function describe(line: Line): string {
  const places = line.places.map(({ part, start, end, loss }) => {
    const paths = [...part.paths].map((path) => path.slice(path.lastIndexOf('/') + 1)).join(' → ');
    const state = loss === undefined ? 'is there' : `${loss.how} at ${new Date(loss.atMs).toISOString()}`;
    return `\n    part ${part.id} (${paths}) ${start}-${end}, ${state}, seen up to ${part.seenSize}`;
  });
  return `line ${line.id}, ${line.kind}, written at ${new Date(line.writtenAtMs).toISOString()}${places.join('')}`;
}
