import Table from 'cli-table3';
import { type Figure, printMeasured, printTarget, type Verdict, verdictOf } from './figure.ts';

const COLOURS: Readonly<Record<Verdict, 'green' | 'red' | 'yellow' | 'gray'>> = {
  met: 'green',
  missed: 'red',
  'not measured': 'yellow',
  '–': 'gray',
};

/** The figures with their targets, those that have one first. */
export function figureTable(
  figures: readonly Figure[],
  style: (colour: (typeof COLOURS)[Verdict], text: string) => string,
  isTTY: boolean,
): string {
  const table = new Table({
    head: ['what', 'target', 'measured', '', 'from'],
    colAligns: ['left', 'right', 'right', 'left', 'left'],
    style: { head: isTTY ? ['cyan'] : [], border: isTTY ? ['gray'] : [], compact: true },
  });
  const row = (figure: Figure): string[] => {
    const verdict = verdictOf(figure);
    return [
      figure.what,
      printTarget(figure.target, figure.unit),
      printMeasured(figure),
      style(COLOURS[verdict], verdict),
      figure.note,
    ];
  };
  table.push(...figures.filter(({ target }) => target !== undefined).map(row));
  table.push(...figures.filter(({ target }) => target === undefined).map(row));
  return table.toString();
}
