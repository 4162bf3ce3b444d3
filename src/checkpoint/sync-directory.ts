import { closeSync, fsyncSync, openSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from '../errors.ts';

/** Makes the entries of a directory durable. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes it durable that a path leads to its file. Also the directories that are there already: who made them may have been
 * killed before they were synced. One above that may not be read was not made by this user.
 */
export function syncPathOf(file: string): void {
  let directory = path.dirname(file);
  syncDirectory(directory);
  while (path.dirname(directory) !== directory) {
    directory = path.dirname(directory);
    try {
      syncDirectory(directory);
    } catch (error) {
      if (!['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    }
  }
}
