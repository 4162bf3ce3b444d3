import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../errors.ts';

/**
 * Why this process may not read the file or list the directory, or undefined when it may.
 *
 * It is opened, because access(2) takes no account of the capabilities of a user who is not root. A named pipe without a
 * writer does not stop it.
 */
export function unreadable(file: string): string | undefined {
  try {
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
    // One that may be listed and not entered is of no use.
    if (statSync(file).isDirectory()) statSync(`${file}/.`);
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

/** Whether every user may put files into the directory, or exchange those that are there. False where it is missing. */
export function isWritableByAll(directory: string): boolean {
  try {
    return (statSync(directory).mode & 0o002) !== 0;
  } catch {
    return false;
  }
}
