import type { AddedFields } from './added-fields.ts';
import type { Origin } from './event-template.ts';
import type { JudgeContext } from './judge-status.ts';

/** What every format is made with, besides its own part of the configuration. */
export interface FormatParts {
  readonly origin: Origin;
  readonly added: AddedFields;
  readonly context: JudgeContext;
}
