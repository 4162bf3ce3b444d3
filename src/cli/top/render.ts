import { formatDuration } from '../../config/units.ts';
import { formatAge } from '../format/age.ts';
import { formatCount } from '../format/quantity.ts';
import { headerRows } from './header-rows.ts';
import { cutRow, type Row, rowWidth, span } from './row.ts';
import { type Cell, layOutTable, type ScreenColumn } from './screen-table.ts';
import { SINK_COLUMNS, sinkRows } from './sink-rows.ts';
import { SOURCE_COLUMNS, sourceRows } from './source-rows.ts';
import { TROUBLE_COLUMNS, troubleRows } from './trouble-rows.ts';
import type { Size, View } from './view.ts';

/** Screens with fewer rows have no empty ones, and those with fewer still no keys. */
const AIRY_ROWS = 20;
const KEYS_ROWS = 4;

/** Rows of a table that is worth showing when there is more: its head, the first row, and that there is more. */
const MIN_TABLE_ROWS = 3;

/** On a small screen the sinks say more than what was logged. */
const MIN_SINK_ROWS = 5;

interface Section {
  readonly columns: readonly ScreenColumn[];
  /** Cells are made for rows that are shown only: an agent may have a thousand logs. */
  readonly rows: readonly (() => readonly Cell[])[];
  /** Rows that it gets before those behind it get any, if it has so many. */
  readonly least: number;
}

/** The whole screen, from the top: at most `rows` rows, none of them wider than `columns`. */
export function render(view: View, { columns: width, rows: height }: Size): Row[] {
  const hasKeys = height >= KEYS_ROWS;
  const header = headerRows(view, width).slice(0, hasKeys ? height - 1 : height);
  const body = view.look === undefined ? [] : bodyRows(view, width, height - header.length - (hasKeys ? 1 : 0));
  const rows = [...header, ...body];
  if (!hasKeys) return rows.slice(0, height);
  const blank = Array.from({ length: height - 1 - rows.length }, (): Row => []);
  return [...rows, ...blank, keysRow(view, width)];
}

function bodyRows(view: View, width: number, room: number): Row[] {
  const { status } = view.look!;
  const isQuiet = status.troubles.length === 0;
  const sections: readonly Section[] = [
    { columns: SOURCE_COLUMNS, rows: sourceRows(status, view), least: MIN_TABLE_ROWS },
    { columns: SINK_COLUMNS, rows: sinkRows(status, view), least: MIN_SINK_ROWS },
    { columns: TROUBLE_COLUMNS, rows: troubleRows(status), least: MIN_TABLE_ROWS },
  ].filter(({ rows }) => rows.length > 0);
  const isAiry = room >= AIRY_ROWS - 3;
  const gaps = isAiry ? sections.length + Number(isQuiet) : 0;
  const shares = shareRows(
    sections.map(({ rows, least }) => ({ wanted: rows.length + 1, least })),
    room - gaps - Number(isQuiet),
  );
  const gap: Row[] = isAiry ? [[]] : [];
  const tables = sections.flatMap((section, index) => {
    const rows = tableRows(section, shares[index]!, width);
    return rows.length === 0 ? [] : [...gap, ...rows];
  });
  const quiet: Row[] = isQuiet ? [...gap, cutRow([span('no warning or error since the start')], width)] : [];
  return [...tables, ...quiet].slice(0, Math.max(0, room));
}

/** Divides rows: each gets its least while there is room, and what is left goes round, one by one. */
function shareRows(sections: readonly { wanted: number; least: number }[], room: number): number[] {
  let left = room;
  const shares = sections.map(({ wanted, least }) => {
    const share = Math.min(wanted, least, left);
    if (share < Math.min(wanted, MIN_TABLE_ROWS)) return 0;
    left -= share;
    return share;
  });
  for (let isGiving = true; isGiving && left > 0; ) {
    isGiving = false;
    for (const [index, { wanted }] of sections.entries()) {
      const share = shares[index]!;
      if (share === 0 || share >= wanted || left === 0) continue;
      shares[index] = share + 1;
      left -= 1;
      isGiving = true;
    }
  }
  return shares;
}

function tableRows({ columns, rows }: Section, share: number, width: number): Row[] {
  if (share === 0) return [];
  const isCut = rows.length + 1 > share;
  const shown = rows.slice(0, isCut ? share - 2 : share - 1).map((cells) => cells());
  const empty = (index: number) => shown.every((cells) => ['-', ''].includes(cells[index]!.text));
  const kept = [...columns.keys()].filter((index) => columns[index]!.optional !== true || !empty(index));
  const table = layOutTable(
    kept.map((index) => columns[index]!),
    shown.map((cells) => kept.map((index) => cells[index]!)),
    width,
  );
  const more = cutRow([span(`… ${formatCount(rows.length - shown.length)} more`, 'dim')], width);
  return [...table, ...(isCut ? [more] : [])];
}

/** As many keys as there is room for, the most needed first. */
function keysRow({ isPaused, secondsOld, sort, intervalMs }: View, width: number): Row {
  const keys = [
    'q quit',
    isPaused ? 'p go on' : 'p pause',
    sort === 'name' ? 's sort by attention' : 's sort by name',
    `every ${formatDuration(intervalMs)}`,
  ];
  const paused = isPaused ? [span(`paused, ${formatAge(secondsOld ?? 0)} old`, 'yellow'), span('   ')] : [];
  const row = (): Row => [...paused, span(keys.join('   '), 'dim')];
  while (keys.length > 1 && rowWidth(row()) > width) keys.pop();
  return cutRow(row(), width);
}
