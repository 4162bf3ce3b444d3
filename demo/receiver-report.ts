import Table from 'cli-table3';
import type { ReceiverResult } from './demo-receiver.ts';
import type { ChaosAct } from './receivers/chaos-schedule.ts';
import { count, type Screen } from './screen.ts';

const MAX_EXAMPLES = 10;
const EXAMPLE_CHARACTERS = 300;

export interface DeliveryResult {
  readonly receivers: readonly ReceiverResult[];
  /** As `auditail deadletter list --json` prints them. */
  readonly deadLetters: readonly string[];
}

/** What a receiver does to a request, in the words of the table. */
const ACTS: readonly (readonly [string, readonly ChaosAct[]])[] = [
  ['accepted', ['accept', 'drip']],
  ['reset before it stored', ['reset-unread', 'reset-before']],
  ['reset after it stored', ['reset-after']],
  ['no answer', ['hang']],
  ['broken or endless answer', ['garbage', 'cut', 'endless', 'flood']],
  ['single items refused', ['partial-busy']],
  ['429 with Retry-After', ['status-429-seconds', 'status-429-date']],
  ['408, 500, 502, 503', ['status-408', 'status-500', 'status-502', 'status-503']],
  ['302, 401, 404', ['status-302', 'status-401', 'status-404']],
];

/** True when no event is missing or foreign, none repeated where ids tell, and none was put aside. */
export function isDelivered({ receivers, deadLetters }: DeliveryResult): boolean {
  return deadLetters.length === 0 && receivers.every(isComplete);
}

function isComplete({ lost, foreign, duplicated, isExactlyOnce }: ReceiverResult): boolean {
  return lost + foreign === 0 && (duplicated === 0 || !isExactlyOnce);
}

/** Prints what the receivers did to requests. */
export function printActs(screen: Screen, receivers: readonly ReceiverResult[]): void {
  const table = new Table({
    head: ['requests', ...receivers.map(({ name }) => name)],
    colAligns: ['left', ...receivers.map(() => 'right' as const)],
    style: { head: screen.isTTY ? ['cyan'] : [], border: screen.isTTY ? ['gray'] : [], compact: true },
  });
  const row = (what: string, cell: (receiver: ReceiverResult) => number): string[] => [
    what,
    ...receivers.map((receiver) => count(cell(receiver))),
  ];
  for (const [what, acts] of ACTS) {
    table.push(row(what, (receiver) => acts.reduce((sum, act) => sum + (receiver.acts.get(act) ?? 0), 0)));
  }
  screen.print(table.toString());
  for (const { name, recognised } of receivers) {
    if (recognised > 0) screen.print(`${name} got ${count(recognised)} events again, and knew them by their _id`);
  }
}

/** Prints what is wrong, and for each receiver the line `demo http: name: W written, …`. */
export function printDelivery(screen: Screen, written: number, result: DeliveryResult): void {
  const { receivers, deadLetters } = result;
  if (deadLetters.length > 0) {
    screen.print(screen.style('red', `${count(deadLetters.length)} dead letters, for example:`));
    for (const letter of deadLetters.slice(0, MAX_EXAMPLES)) screen.print(`  ${letter.slice(0, EXAMPLE_CHARACTERS)}`);
  }
  for (const receiver of receivers) {
    const { name, stored, lost, duplicated, foreign, isExactlyOnce } = receiver;
    if (foreign > 0) screen.print(screen.style('red', `${name}: ${count(foreign)} events that were never written`));
    const line =
      `demo http: ${name}: ${written} written, ${stored} ${isExactlyOnce ? 'stored' : 'received'}, ` +
      `${lost} lost, ${duplicated} duplicated`;
    screen.print(screen.style(['bold', isComplete(receiver) ? 'green' : 'red'], line));
  }
}
