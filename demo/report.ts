import Table from 'cli-table3';
import { type DeliveryResult, isDelivered, printActs, printDelivery } from './receiver-report.ts';
import { count, type Screen, size } from './screen.ts';
import type { NamespaceTotals, Verdict } from './verify.ts';

export interface DemoResult {
  readonly verdict: Verdict;
  readonly written: number;
  readonly rotations: number;
  readonly kills: number;
  /** What the agent warned of, the last lines. */
  readonly warnings: readonly string[];
  /** With receivers only. */
  readonly delivery: DeliveryResult | undefined;
}

/** True when the archive, and the receivers if there are any, hold what they should. */
export function isFaultless({ verdict, delivery }: DemoResult): boolean {
  return isExact(verdict) && (delivery === undefined || isDelivered(delivery));
}

/** True when the archive holds exactly what was written, each event in its file. */
export function isExact(verdict: Verdict): boolean {
  const { lost, duplicated, foreign, misplaced, files } = verdict;
  return lost + duplicated + foreign + misplaced === 0 && files.every((file) => file.damage === undefined);
}

/** Prints the table of namespaces, what is wrong, the line `demo: W written, …`, and one for each receiver. */
export function printReport(screen: Screen, result: DemoResult): void {
  const { verdict, written, rotations, kills } = result;
  if (result.delivery !== undefined) printActs(screen, result.delivery.receivers);
  screen.print(namespaceTable(screen, verdict.namespaces));
  printFindings(screen, verdict);
  if (!isFaultless(result) && result.warnings.length > 0) {
    screen.print('The agent warned:');
    for (const warning of result.warnings) screen.print(`  ${warning}`);
  }
  const { archived, lost, duplicated } = verdict;
  const line =
    `demo: ${written} written, ${archived} archived, ${lost} lost, ${duplicated} duplicated, ` +
    `${rotations} rotations, ${kills} kills`;
  screen.print(screen.style(isExact(verdict) ? ['bold', 'green'] : ['bold', 'red'], line));
  if (result.delivery !== undefined) printDelivery(screen, written, result.delivery);
}

function namespaceTable(screen: Screen, namespaces: readonly NamespaceTotals[]): string {
  const table = new Table({
    head: ['namespace', 'events', 'bytes', 'files', 'gzipped', 'ratio'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: screen.isTTY ? ['cyan'] : [], border: screen.isTTY ? ['gray'] : [], compact: true },
  });
  const row = ({ namespace, events, bytes, files, storedBytes }: NamespaceTotals): string[] => [
    namespace,
    count(events),
    size(bytes),
    count(files),
    size(storedBytes),
    storedBytes === 0 ? '–' : (bytes / storedBytes).toFixed(1),
  ];
  table.push(...namespaces.map(row));
  const sum = (pick: (totals: NamespaceTotals) => number): number => namespaces.reduce((n, t) => n + pick(t), 0);
  const total = row({
    namespace: `${namespaces.length} in all`,
    events: sum((t) => t.events),
    bytes: sum((t) => t.bytes),
    files: sum((t) => t.files),
    storedBytes: sum((t) => t.storedBytes),
  });
  table.push(total.map((cell) => screen.style('bold', cell)));
  return table.toString();
}

function printFindings(screen: Screen, verdict: Verdict): void {
  const { examples, files } = verdict;
  const damaged = files.flatMap((file) => (file.damage === undefined ? [] : [file.damage]));
  const findings: [string, number, readonly string[]][] = [
    ['lost (by hash)', verdict.lost, examples.lost],
    ['duplicated', verdict.duplicated, examples.duplicated],
    ['in the archive, but never written', verdict.foreign, examples.foreign],
    ['in a file of another namespace or hour', verdict.misplaced, verdict.misplacedExamples],
    ['damaged files', damaged.length, damaged.slice(0, 10)],
  ];
  for (const [what, n, some] of findings) {
    if (n === 0) continue;
    screen.print(screen.style('red', `${count(n)} ${what}, for example:`));
    for (const example of some) screen.print(`  ${example}`);
  }
}
