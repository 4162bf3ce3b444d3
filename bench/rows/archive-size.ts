import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { archiveFiles } from '../../test/helpers/archive-reader.ts';
import { auditail } from '../harness/auditail.ts';
import type { Bench, Benchmark, Outcome } from '../harness/benchmark.ts';
import { measure } from '../harness/measure.ts';

const MAX_OUTPUT_BYTES = 1 << 30;

/** What the archive's way of writing, whole at each commit, costs in bytes. */
export const archiveSize: Benchmark = {
  name: 'archive-size',
  about: 'the archive on disk, against gzip -6 of the same lines in one go for each file',
  quick: true,
  async run({ extent, inputs, threads, scratch }: Bench): Promise<Outcome> {
    const input = await inputs.file({ bytes: extent.inputBytes });
    const contender = auditail('auditail', { input, threads, archive: { compress: 'gzip', level: 6 } });
    await measure(contender.prepare(scratch));
    await contender.check!(scratch);
    const archive = join(scratch, 'archive');
    const files = await archiveFiles(archive);
    let ours = 0;
    let theirs = 0;
    for (const file of files) {
      const path = join(archive, file);
      ours += statSync(path).size;
      const content = gunzipSync(await readFile(path));
      theirs += execFileSync('gzip', ['-6', '-n', '-c'], { input: content, maxBuffer: MAX_OUTPUT_BYTES }).length;
    }
    return {
      figures: [
        {
          id: 'archive-size',
          what: 'archive size with gzip 6 : gzip -6',
          unit: '×',
          measured: ours / theirs,
          target: { atMost: 1.03 },
          note: `${(ours / 1e6).toFixed(2)} MB in ${files.length} files, gzip ${(theirs / 1e6).toFixed(2)} MB`,
        },
      ],
    };
  },
};
