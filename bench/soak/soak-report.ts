import Table from 'cli-table3';
import { count, type Screen, size } from '../../demo/screen.ts';
import { DISTURBING_LOAD } from '../harness/other-load.ts';
import type { Growth } from './growth.ts';
import { isExact, MIN_MINUTES_TO_JUDGE, type SoakResult, thin } from './soak-result.ts';

const TABLE_ROWS = 12;

/** The table of samples, what grew, and the line `soak: W written, …`. */
export function printSoak(screen: Screen, result: SoakResult): void {
  const table = new Table({
    head: ['minute', 'resident', 'descriptors', 'state'],
    colAligns: ['right', 'right', 'right', 'right'],
    style: { head: screen.isTTY ? ['cyan'] : [], border: screen.isTTY ? ['gray'] : [], compact: true },
  });
  for (const { seconds, residentBytes, descriptors, stateBytes } of thin(result.samples, TABLE_ROWS)) {
    table.push([(seconds / 60).toFixed(1), size(residentBytes), count(descriptors), size(stateBytes)]);
  }
  screen.print('The most of each twelfth of the run:');
  screen.print(table.toString());
  printGrowth(screen, 'resident memory', result.memory, size);
  printGrowth(screen, 'descriptors', result.descriptors, (n) => n.toFixed(0));
  if (result.otherLoad > DISTURBING_LOAD) {
    const share = (result.otherLoad * 100).toFixed(0);
    screen.print(screen.style('yellow', `other work had ${share} % of the cores meanwhile`));
  }
  const line =
    `soak: ${result.events} written, ${result.archived} archived, ${result.lost} lost, ${result.duplicated} duplicated, ` +
    `${result.foreign} foreign, ${result.misplaced} misplaced, ${result.damagedFiles} damaged files, ` +
    `${result.rotations} rotations, ${result.restarts.length} restarts`;
  screen.print(screen.style(isExact(result) ? ['bold', 'green'] : ['bold', 'red'], line));
}

function printGrowth(screen: Screen, what: string, growth: Growth | undefined, print: (n: number) => string): void {
  if (growth === undefined) {
    screen.print(`${what}: not judged, for that a run has to take ${MIN_MINUTES_TO_JUDGE} minutes`);
    return;
  }
  const { second, last, limit, flat } = growth;
  const medians = `second quarter ${print(second)}, last quarter ${print(last)} (medians), at most ${print(limit)}`;
  screen.print(screen.style(flat ? 'green' : 'red', `${what}: ${flat ? 'flat' : 'GROWS'}: ${medians}`));
}
