import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { agentCommand, archiveConfig } from '../../test/helpers/agent-process.ts';
import { archiveFiles } from '../../test/helpers/archive-reader.ts';
import type { Contender } from './contender.ts';
import type { Input } from './input-store.ts';

export interface AuditailOptions {
  readonly input: Input;
  readonly threads: number;
  /** Of the archive. Without it there is none. */
  readonly archive?: { readonly compress: 'gzip' | 'zstd'; readonly level: number };
  /** Further sinks. */
  readonly sinks?: readonly object[];
}

/** `auditail run --exit-at-eof`, the whole process, with durability `disk`. */
export function auditail(name: string, options: AuditailOptions): Contender {
  const { input, archive } = options;
  return {
    name,
    prepare(directory) {
      const config = join(directory, 'auditail.yaml');
      writeFileSync(config, JSON.stringify(configOf(directory, options)));
      return { command: [...agentCommand(), 'run', '-c', config, '--exit-at-eof'] };
    },
    ...(archive === undefined ? {} : { check: (directory) => checkArchive(archiveOf(directory), input.bytes) }),
  };
}

function configOf(directory: string, { input, threads, archive, sinks = [] }: AuditailOptions): object {
  const paths = { state: join(directory, 'state'), log: input.path, archive: archiveOf(directory) };
  const base = archiveConfig(paths);
  const [file] = base.sinks as [{ path: string }];
  const path = archive?.compress === 'zstd' ? file.path.replace(/\.gz$/, '.zst') : file.path;
  return {
    ...base,
    threads,
    commit: { durability: 'disk' },
    admin: { listen: 'off' },
    sinks: [...(archive === undefined ? [] : [{ ...file, path, ...archive }]), ...sinks],
  };
}

function archiveOf(directory: string): string {
  return join(directory, 'archive');
}

/** Everything is there, as far as sizes tell. That each line is there once is held by the tests and the soak. */
async function checkArchive(directory: string, inputBytes: number): Promise<void> {
  let bytes = 0;
  for (const file of await archiveFiles(directory)) {
    const stored = await readFile(join(directory, file));
    bytes += (file.endsWith('.zst') ? zstdDecompressSync(stored) : gunzipSync(stored)).length;
  }
  if (bytes !== inputBytes) throw new Error(`the archive holds ${bytes} of ${inputBytes} bytes`);
}
