import type { IssuePath } from '../../config/config-error.ts';

/** Something that is valid and will hurt all the same. `path` is the key that it is about. */
export interface Warning {
  readonly path: IssuePath;
  readonly message: string;
}
