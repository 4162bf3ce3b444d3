import { checkIndexTemplate } from '../route/index-template.ts';
import { checkAddedField } from '../sink/http/added-fields.ts';
import { checkLabel } from '../sink/http/formats/loki.ts';
import type { IssuePath } from './config-error.ts';
import type { HttpSinkConfig } from './types.ts';

/** A text of an HTTP sink that is a template, and what throws `TEMPLATE` when it is none. */
export interface HttpTemplate {
  /** Below the sink. */
  readonly key: IssuePath;
  /** What the text is. */
  readonly what: string;
  readonly compile: () => unknown;
}

/** All templates of a sink. */
export function httpTemplates({ add, labels, index, cluster, format }: HttpSinkConfig): HttpTemplate[] {
  const indexRules = format === 'splunk_hec' ? 'splunk' : 'elasticsearch';
  return [
    ...Object.entries(add).map(
      ([name, value]): HttpTemplate => ({
        key: ['add', name],
        what: 'a template',
        compile: () => checkAddedField(name, value, cluster),
      }),
    ),
    ...Object.entries(labels).map(
      ([name, template]): HttpTemplate => ({
        key: ['labels', name],
        what: 'a template',
        compile: () => checkLabel(name, template, cluster),
      }),
    ),
    ...(index === undefined
      ? []
      : [{ key: ['index'], what: 'an index template', compile: () => checkIndexTemplate(index, indexRules) }]),
  ];
}
