import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../errors.ts';

/** Why this process may not read the file or list the directory, or undefined when it may. */
export function unreadable(file: string): string | undefined {
  try {
    const mode = statSync(file).isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK;
    accessSync(file, mode);
    return undefined;
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}

/**
 * Why this process could not write to the directory, creating it when it is missing; undefined when it could. Nothing is
 * created to find out.
 */
export function unwritableDirectory(directory: string): string | undefined {
  for (let current = directory; ; current = path.dirname(current)) {
    try {
      if (!statSync(current).isDirectory()) return `${current} is no directory`;
      accessSync(current, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      // Only a missing directory is created in the one above it; anything else is the answer.
      if (errorCode(error) !== 'ENOENT' || current === path.dirname(current)) {
        return errorCode(error) === 'ENOTDIR'
          ? `a part of ${directory} is no directory`
          : `${current}: ${errorCode(error)}`;
      }
    }
  }
}
