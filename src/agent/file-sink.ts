import type { FileSinkConfig } from '../config/types.ts';
import type { FileArchive } from '../sink/file/file-archive.ts';

/** A file sink in a running agent. */
export interface FileSink {
  /** Its place in `Segment.from`. */
  readonly index: number;
  readonly config: FileSinkConfig;
  readonly archive: FileArchive;
}
