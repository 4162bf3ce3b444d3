import { AuditailError } from '../../errors.ts';
import { CLOSE_BRACE, OPEN_BRACE, spaceEnd } from '../../event/json-bytes.ts';
import { EventScanner, MISSING } from '../../event/scanner.ts';
import { EventTemplate, type Origin, parseEventTemplate } from './event-template.ts';
import type { HttpEvent } from './http-event.ts';

/** The value of a field: a template of text, a number, or a boolean. */
export type AddedValue = string | number | boolean;

interface AddedField {
  /** The name as JSON, and the colon. */
  readonly key: string;
  /** The value as JSON, or what makes its text. */
  readonly value: string | EventTemplate;
}

/**
 * Puts configured fields into events by splicing bytes behind their opening brace. Everything else of an event stays as
 * it was read, and a field that it has at its top level stays its own, also when it is null or its key is escaped.
 */
export class AddedFields {
  readonly #fields: readonly AddedField[];
  readonly #scanner: EventScanner;

  /** @throws AuditailError `TEMPLATE` */
  constructor(add: Readonly<Record<string, AddedValue>>, origin: Origin) {
    const entries = Object.entries(add);
    for (const [name, value] of entries) checkAddedField(name, value, origin.cluster);
    this.#scanner = new EventScanner(entries.map(([name]) => topLevelPath(name)));
    this.#fields = entries.map(([name, value]) => {
      const key = `${JSON.stringify(name)}:`;
      if (typeof value !== 'string') return { key, value: JSON.stringify(value) };
      const template = new EventTemplate(value, origin);
      const constant = { tag: '', source: '', time: 0 };
      return { key, value: template.isConstant ? JSON.stringify(template.render(constant)) : template };
    });
  }

  /** The event's line with the fields in it; the very line where there is nothing to add. */
  apply(event: HttpEvent): Buffer {
    const { line } = event;
    if (this.#fields.length === 0 || !this.#scanner.scan(line, 0, line.length)) return line;
    const missing = this.#fields.filter((_, slot) => this.#scanner.kinds[slot] === MISSING);
    if (missing.length === 0) return line;
    const inside = line.indexOf(OPEN_BRACE) + 1;
    const isEmpty = line[spaceEnd(line, inside, line.length)] === CLOSE_BRACE;
    const added = missing.map(({ key, value }) => key + textOf(value, event)).join(',');
    return Buffer.concat([line.subarray(0, inside), Buffer.from(isEmpty ? added : `${added},`), line.subarray(inside)]);
  }
}

/** @throws AuditailError `TEMPLATE` with the reason, when a field of `add` cannot be added. */
export function checkAddedField(name: string, value: AddedValue, cluster: string | undefined): void {
  if (name === '') throw new AuditailError('TEMPLATE', 'a field to add has no name', { hint: 'Give it one' });
  if (name.includes(`']`) && name.includes(`"]`)) {
    const reason = `the field name ${JSON.stringify(name)} has both '] and "] in it`;
    throw new AuditailError('TEMPLATE', reason, { hint: 'Choose another name' });
  }
  if (typeof value === 'string') parseEventTemplate(value, cluster);
  else if (typeof value === 'number' && !Number.isFinite(value)) {
    const reason = `the field '${name}' has the value ${value}, which JSON cannot hold`;
    throw new AuditailError('TEMPLATE', reason, { hint: 'Write a number, or text in quotes' });
  }
}

function textOf(value: string | EventTemplate, event: HttpEvent): string {
  return typeof value === 'string' ? value : JSON.stringify(value.render(event));
}

/** The scanner's path of a key at the top level. Nothing is escaped in it: it ends at the first quote before a bracket. */
function topLevelPath(name: string): string {
  return name.includes(`']`) ? `$["${name}"]` : `$['${name}']`;
}
