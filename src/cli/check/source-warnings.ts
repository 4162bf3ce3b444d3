import { statSync } from 'node:fs';
import path from 'node:path';
import type { IssuePath } from '../../config/config-error.ts';
import { globDirectory } from '../../config/path-overlap.ts';
import type { Config, SourceConfig } from '../../config/types.ts';
import { describeError } from '../../errors.ts';
import { discover, type FoundStream, isGlob } from '../../source/discovery.ts';
import { isWritableByAll, unreadable } from './access.ts';
import { rotationWarnings } from './rotation-warnings.ts';
import type { Warning } from './warning.ts';

/** What hurts at the sources: paths that are missing, not readable or read twice, and rotation. */
export async function sourceWarnings(config: Config, logrotatePaths?: readonly string[]): Promise<Warning[]> {
  const readers = new Map<string, number>();
  const warnings: Warning[] = [];
  for (const [index, source] of config.sources.entries()) {
    const at = ['sources', index, 'path'];
    warnings.push(...pathWarnings(source, at));
    const twin = readers.get(source.path);
    if (twin === undefined) readers.set(source.path, index);
    else warnings.push({ path: at, message: `sources[${twin}] reads ${source.path} too, so every line arrives twice` });
    warnings.push(...(await streamWarnings(source, at, config.commit.intervalMs, logrotatePaths)));
  }
  return warnings;
}

function pathWarnings(source: SourceConfig, at: IssuePath): Warning[] {
  const place = isGlob(source.path) ? globDirectory(source.path) : source.path;
  const reason = unreadable(place);
  if (reason === undefined) return openWarnings(isDirectory(place) ? place : path.dirname(place), at);
  if (!isMissing(reason)) return [notReadable(place, reason, at)];
  const parent = path.dirname(place);
  const message = isMissing(unreadable(parent))
    ? `${place} does not exist, nor does ${parent}; is it spelled right?`
    : `${place} does not exist yet; the agent waits for it`;
  return [{ path: at, message }];
}

/** Links are followed, and the agent may read every file of the host. */
function openWarnings(directory: string, at: IssuePath): Warning[] {
  if (!isWritableByAll(directory)) return [];
  const message = `every user of this host may put a link into ${directory}, and have the agent read what it points to`;
  return [{ path: at, message }];
}

function isDirectory(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isMissing(reason: string | undefined): boolean {
  return reason === 'ENOENT' || reason === 'ENOTDIR';
}

async function streamWarnings(
  source: SourceConfig,
  at: IssuePath,
  commitIntervalMs: number,
  logrotatePaths: readonly string[] | undefined,
): Promise<Warning[]> {
  let streams: readonly FoundStream[];
  try {
    streams = (await discover(source)).streams;
  } catch (error) {
    // That the path itself cannot be read was told already.
    return unreadable(source.path) === undefined
      ? [{ path: at, message: `cannot be searched for logs: ${describeError(error)}` }]
      : [];
  }
  return streams.flatMap((stream) => {
    const closed = stream.files.flatMap((file) => {
      const reason = file.path === source.path ? undefined : unreadable(file.path);
      return reason === undefined || isMissing(reason) ? [] : [notReadable(file.path, reason, at)];
    });
    return [...closed, ...rotationWarnings(stream, at, commitIntervalMs, logrotatePaths)];
  });
}

function notReadable(file: string, reason: string, at: IssuePath): Warning {
  const advice =
    'the agent needs root or CAP_DAC_READ_SEARCH, as the kube-apiserver makes its log readable to itself only';
  return { path: at, message: `${file} is not readable by this user (${reason}); ${advice}` };
}
