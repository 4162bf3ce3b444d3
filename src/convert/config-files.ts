/** The files that a configuration may include. Paths are absolute or relative to the working directory. */
export interface ConfigFiles {
  /** @throws AuditailError `CONVERT_READ` */
  read(path: string): string;
  /** The files that a glob matches, sorted; a path without wildcards is itself, if it exists. */
  glob(pattern: string): readonly string[];
}

/** Configurations that include each other without end are cut off here. */
export const MAX_INCLUDES = 32;
