import type { IssuePath } from './config-error.ts';

/** Something wrong at a place of the configuration, before its line is known and its value is added. */
export interface Problem {
  readonly path: IssuePath;
  /** What was expected, "expected …", to which the found value is added; or, with `complete`, the whole message. */
  readonly message: string;
  readonly complete?: boolean;
  /** A message that quotes the value itself, and is shown unless the value came from the environment. */
  readonly detail?: string;
  /** The key is wrong and not its value. */
  readonly atKey?: boolean;
}
