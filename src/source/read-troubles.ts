import { errorCode } from '../errors.ts';
import type { SourceOccurrences } from '../telemetry/source-occurrences.ts';
import { hasMoved } from './plain-file.ts';

/** More sweeps in a row that met a moved file than this are no rotation: it is told like any other file. */
const MAX_MOVED_SWEEPS = 5;

/**
 * Files that could not be read. They are told, and tried again with the next sweep. A file that is not at its path any
 * more when it is opened was rotated in between: that only asks for another sweep, which finds it at its new place.
 */
export class ReadTroubles {
  /** Paths that could not be read since the last sweep began. */
  readonly unreadable = new Set<string>();
  readonly #occurrences: SourceOccurrences;
  #movedSweeps = 0;
  #sawMoved = false;

  constructor(occurrences: SourceOccurrences) {
    this.#occurrences = occurrences;
  }

  /** Whether a file was moved since the last sweep began, so that another sweep is needed. */
  get sawMoved(): boolean {
    return this.#sawMoved;
  }

  beginSweep(): void {
    this.#movedSweeps = this.#sawMoved ? this.#movedSweeps + 1 : 0;
    this.#sawMoved = false;
    this.unreadable.clear();
  }

  tell(file: string, error: unknown): void {
    if (hasMoved(error) && this.#movedSweeps < MAX_MOVED_SWEEPS) {
      this.#sawMoved = true;
      return;
    }
    this.unreadable.add(file);
    this.#occurrences.unreadable(file, error);
  }

  /** Errors of file calls are told and tried again; anything else is a failure of the agent, and thrown. */
  tellReadError(file: string, error: unknown): void {
    if (!isReadError(error)) throw error;
    this.tell(file, error);
  }
}

function isReadError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || errorCode(error) === 'NOT_A_FILE' || hasMoved(error));
}
