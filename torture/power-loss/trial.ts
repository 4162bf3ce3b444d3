import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../bench/random.ts';
import { Host } from './host.ts';
import { drawKills, drawPoints, type Point } from './point.ts';
import type { AgentKeys } from './scene.ts';

/** Lines of the log that is recorded: some seconds of work, some thousand operations. */
const EVENTS = 600;

/** What a directory that is kept holds, besides the record. */
interface Kept {
  readonly keys: AgentKeys;
  readonly points: readonly Point[];
}

const KEPT = 'violations.json';

export interface TrialResult {
  readonly points: number;
  readonly lines: number;
  readonly violations: number;
}

export interface TrialOptions {
  readonly seed: number;
  readonly keys: AgentKeys;
  readonly points: number;
  /** No point is begun later; see `performance.now()`. */
  readonly until?: number;
  readonly tell: (text: string) => void;
}

/** Records one host and lets it lose power, or with `durability: process` its agent, at so many points. */
export async function runTrial({ seed, keys, points, until, tell }: TrialOptions): Promise<TrialResult> {
  if (until !== undefined && performance.now() > until) return { points: 0, lines: 0, violations: 0 };
  const directory = mkdtempSync(join(tmpdir(), 'auditail-power-loss-'));
  const host = await Host.start({ directory, keys });
  let isKept = true;
  try {
    await host.record(seed, EVENTS);
    const draw = keys.durability === 'disk' ? drawPoints : drawKills;
    const drawn = draw(host.operations, points, new Random(seed));
    const found = await visit(host, drawn, until ?? Number.POSITIVE_INFINITY, tell);
    isKept = found.violations.length > 0;
    if (isKept) {
      const kept: Kept = { keys, points: found.violations };
      writeFileSync(join(directory, KEPT), JSON.stringify(kept));
      tell(`kept: ${directory}; again: npm run torture:power-loss -- --replay ${directory}`);
    }
    return { points: found.visited, lines: host.linesChecked, violations: found.violations.length };
  } finally {
    await host.close();
    if (!isKept) rmSync(directory, { recursive: true });
  }
}

/** Repeats the points of a directory that was kept. */
export async function replay(directory: string, tell: (text: string) => void): Promise<TrialResult> {
  const { keys, points } = JSON.parse(readFileSync(join(directory, KEPT), 'utf8')) as Kept;
  const host = await Host.start({ directory, keys });
  try {
    host.load();
    const found = await visit(host, points, Number.POSITIVE_INFINITY, tell);
    return { points: found.visited, lines: host.linesChecked, violations: found.violations.length };
  } finally {
    await host.close();
  }
}

async function visit(
  host: Host,
  points: readonly Point[],
  until: number,
  tell: (text: string) => void,
): Promise<{ visited: number; violations: Point[] }> {
  const violations: Point[] = [];
  let visited = 0;
  for (const point of points) {
    if (performance.now() > until) break;
    const wrong = await host.lose(point);
    visited += 1;
    if (wrong.length === 0) continue;
    violations.push(point);
    tell(`violation at ${JSON.stringify(point)}:${wrong.map((text) => `\n  ${text}`).join('')}`);
  }
  return { visited, violations };
}
