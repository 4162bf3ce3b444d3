import type { IssuePath } from './config-error.ts';

/** Something wrong at a place of the configuration, before its line is known and its value is added. */
export interface Problem {
  readonly path: IssuePath;
  /** What was expected, "expected …", to which the found value is added; or, with `complete`, the whole message. */
  readonly message: string;
  readonly complete?: boolean;
  /** A message that quotes values, and is shown in place of the other unless one of them is from the environment. */
  readonly detail?: string;
  /** Where the values stand that `detail` quotes, besides that at `path`. */
  readonly quoted?: readonly IssuePath[];
  /** The key is wrong and not its value. */
  readonly atKey?: boolean;
  /** The path as it is shown, where the key itself may hold a secret. */
  readonly shown?: IssuePath;
}
