import { AuditailError } from '../errors.ts';
import { TIME_UNITS, type TimeUnit } from './time-slots.ts';

const DAY = 86_400_000;

/** The strftime fields that templates may have, each with the unit that it changes with and its number of digits. */
const FIELDS = {
  Y: { unit: 'year', digits: 4, value: (date: Date) => date.getUTCFullYear() },
  y: { unit: 'year', digits: 2, value: (date: Date) => date.getUTCFullYear() % 100 },
  m: { unit: 'month', digits: 2, value: (date: Date) => date.getUTCMonth() + 1 },
  d: { unit: 'day', digits: 2, value: (date: Date) => date.getUTCDate() },
  j: { unit: 'day', digits: 3, value: dayOfYear },
  H: { unit: 'hour', digits: 2, value: (date: Date) => date.getUTCHours() },
  M: { unit: 'minute', digits: 2, value: (date: Date) => date.getUTCMinutes() },
  S: { unit: 'second', digits: 2, value: (date: Date) => date.getUTCSeconds() },
} as const satisfies Record<string, { unit: TimeUnit; digits: number; value: (date: Date) => number }>;

export type StrftimeField = keyof typeof FIELDS;

export type TimePiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'time'; readonly field: StrftimeField; readonly digits: number };

/**
 * Splits text at its strftime fields; `%%` is a literal `%`. Throws `TEMPLATE`, with `template` and the position, for any
 * other field. `at` is where the text begins in the template.
 */
export function parseTimeFields(text: string, template: string, at: number): TimePiece[] {
  const pieces: TimePiece[] = [];
  for (const match of text.matchAll(/%(.?)|[^%]+/gsu)) {
    const field = match[1];
    if (field === undefined) {
      pieces.push({ kind: 'text', text: match[0] });
    } else if (field === '%') {
      pieces.push({ kind: 'text', text: '%' });
    } else if (isStrftimeField(field)) {
      pieces.push({ kind: 'time', field, digits: FIELDS[field].digits });
    } else {
      const where = `template '${template}', character ${at + match.index + 1}`;
      throw new AuditailError('TEMPLATE', `${where}: '%${field}' is not a known time field`, {
        hint: `Allowed are %${Object.keys(FIELDS).join(' %')}, and %% for a %`,
      });
    }
  }
  return pieces;
}

/** The fields' finest unit; undefined without fields. */
export function finestUnit(fields: readonly StrftimeField[]): TimeUnit | undefined {
  const finest = Math.max(...fields.map((field) => TIME_UNITS.indexOf(FIELDS[field].unit)));
  return TIME_UNITS[finest];
}

/** The field's digits. `local` is local time in ms, as if it were UTC. */
export function renderTimeField(field: StrftimeField, local: number): string {
  return String(FIELDS[field].value(new Date(local))).padStart(FIELDS[field].digits, '0');
}

function isStrftimeField(field: string): field is StrftimeField {
  return Object.hasOwn(FIELDS, field);
}

function dayOfYear(date: Date): number {
  const yearStart = new Date(0).setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - yearStart) / DAY) + 1;
}
