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
  #rows: ArchiveRow[] = [];

  constructor(run: ArchiveRun, files: readonly CutFile[]) {
    this.run = run;
    this.files = files;
  }

  /** In the order of the files; empty before the flush. */
  get rows(): readonly ArchiveRow[] {
    return this.#rows;
  }

  /** Called when everything is written and synced. */
  takeRows(committedAt: number): ArchiveRow[] {
    this.#rows = this.files.map((entry) => toRow(entry, committedAt));
    return this.#rows;
  }

  /** Nothing came in since the cut before. */
  get isEmpty(): boolean {
    return this.files.length === 0;
  }
}

function toRow({ file, mark }: CutFile, committedAt: number): ArchiveRow {
  const { record, place } = file;
  return {
    id: place!.id,
    slot: mark.slot,
    device: place!.device!,
    inode: place!.inode!,
    committedBytes: mark.position,
    crc32: mark.crc,
    memberBytes: mark.memberBytes,
    contentBytes: (record?.contentBytes ?? 0) + mark.contentBytes,
    events: (record?.events ?? 0) + mark.events,
    firstTime: combine(Math.min, record?.firstTime, mark.firstTime),
    lastTime: combine(Math.max, record?.lastTime, mark.lastTime),
    committedAt,
  };
}

function combine(choose: (a: number, b: number) => number, a?: number, b?: number): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : choose(a, b);
}
