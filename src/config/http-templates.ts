import { AuditailError } from '../errors.ts';
import { parseTagTemplate } from '../route/tag-template.ts';
import { parseTimeFields } from '../route/time-fields.ts';
import type { IssuePath } from './config-error.ts';
import type { HttpSinkConfig } from './types.ts';

/** What a field or a label may name besides the tag. */
const VALUES: ReadonlySet<string> = new Set(['${node}', '${cluster}', '${source}', '${time}']);

/** A text of an HTTP sink that is a template, and what throws `TEMPLATE` when it is none. */
export interface HttpTemplate {
  /** Below the sink. */
  readonly key: IssuePath;
  /** What the text is. */
  readonly what: string;
  readonly compile: () => unknown;
}

/** All templates of a sink. */
export function httpTemplates({ add, labels, index }: HttpSinkConfig): HttpTemplate[] {
  const values = (section: string, given: Readonly<Record<string, unknown>>) =>
    Object.entries(given).flatMap(([name, text]): HttpTemplate[] => {
      if (typeof text !== 'string') return [];
      return [{ key: [section, name], what: 'a template', compile: () => checkValueTemplate(text) }];
    });
  return [
    ...values('add', add),
    ...values('labels', labels),
    ...(index === undefined
      ? []
      : [{ key: ['index'], what: 'an index template', compile: () => checkIndexTemplate(index) }]),
  ];
}

/** Throws `TEMPLATE` unless all that follows a `$` is `${node}` and the like, a tag form, or a `$`. */
function checkValueTemplate(template: string): void {
  for (const { 0: form, index } of template.matchAll(/\$(?:\$|\{[^}]*\}?)?/g)) {
    if (VALUES.has(form)) continue;
    try {
      parseTagTemplate(form, { captures: false });
    } catch (cause) {
      const message = `template '${template}', character ${index + 1}: '${form}' is not known`;
      const hint = `Allowed are ${[...VALUES].join(', ')}, \${tag}, \${tag[n]}, \${tag[n..]}, \${tag[n..m]}, and $$ for a $`;
      throw new AuditailError('TEMPLATE', message, { hint, cause });
    }
  }
}

/** Throws `TEMPLATE` unless it is made of text, tag forms and time fields. */
function checkIndexTemplate(template: string): void {
  for (const piece of parseTagTemplate(template, { captures: false }).pieces) {
    if (piece.kind === 'text') parseTimeFields(piece.text, template, piece.at);
  }
}
