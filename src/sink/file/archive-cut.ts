import type { ArchiveRow } from '../../checkpoint/archive-records.ts';
import type { ArchiveRun } from './archive-run.ts';
import type { Mark, OutputFile } from './output-file.ts';

export interface CutFile {
  readonly file: OutputFile;
  readonly mark: Mark;
}

/** What belongs to one commit: all content that came in before it was made and after the cut before. */
export class ArchiveCut {
  readonly run: ArchiveRun;
  readonly files: readonly CutFile[];
  /** Set by the flush. */
  rows: ArchiveRow[] = [];

  constructor(run: ArchiveRun, files: readonly CutFile[]) {
    this.run = run;
    this.files = files;
  }

  /** Nothing came in since the cut before. */
  get isEmpty(): boolean {
    return this.files.length === 0;
  }
}
