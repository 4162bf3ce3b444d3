import type { IssuePath } from '../../config/config-error.ts';
import type { Config, HttpSinkConfig } from '../../config/types.ts';
import { formatSize } from '../../config/units.ts';
import { formatBytes } from '../format/quantity.ts';
import { credentialWarnings } from './credential-warnings.ts';
import { freeBytes } from './free-bytes.ts';
import type { Warning } from './warning.ts';

/** What every audit event has at its top level, and what most have. */
const EVENT_FIELDS: ReadonlySet<string> = new Set([
  'kind',
  'apiVersion',
  'level',
  'auditID',
  'stage',
  'requestURI',
  'verb',
  'user',
  'impersonatedUser',
  'sourceIPs',
  'userAgent',
  'objectRef',
  'responseStatus',
  'requestObject',
  'responseObject',
  'requestReceivedTimestamp',
  'stageTimestamp',
  'annotations',
]);

/**
 * What will hurt at the HTTP sinks. Nothing is sent.
 *
 * @param free bytes that can still be written below a directory; undefined when that cannot be told
 */
export function httpWarnings(config: Config, free: (directory: string) => number | undefined = freeBytes): Warning[] {
  const longestLine = Math.max(...config.sources.map(({ maxLineBytes }) => maxLineBytes));
  const share = Math.floor(config.memoryLimit / config.sinks.length);
  const warnings = config.sinks.flatMap((sink, index) => {
    if (sink.type !== 'http') return [];
    const at = ['sinks', index];
    return [
      ...credentialWarnings(sink, at),
      ...addWarnings(sink, at),
      ...indexWarnings(sink, at),
      ...memoryWarnings(sink, at, share),
      ...lineWarnings(sink, at, longestLine),
    ];
  });
  return [...warnings, ...spaceWarnings(config, free)];
}

function addWarnings({ add }: HttpSinkConfig, at: IssuePath): Warning[] {
  return Object.keys(add)
    .filter((name) => EVENT_FIELDS.has(name))
    .map((name) => ({
      path: [...at, 'add', name],
      message: `audit events have a field ${name} of their own, which stays; this one is added only where it is missing`,
    }));
}

/** Any request for any namespace, also one that is refused or does not exist, is an event with that namespace's tag. */
function indexWarnings({ format, index, match }: HttpSinkConfig, at: IssuePath): Warning[] {
  if (format !== 'elasticsearch' || index === undefined || !index.includes('${tag') || !match.includes('*')) return [];
  const message =
    'makes an index for each tag, and whoever may send requests can make up namespaces without end: Elasticsearch ' +
    'has a limit of shards; leave the tag out, or let match name the tags';
  return [{ path: [...at, 'index'], message }];
}

function memoryWarnings({ batch, concurrency }: HttpSinkConfig, at: IssuePath, share: number): Warning[] {
  const fitting = Math.max(1, Math.floor(share / batch.bytes));
  if (fitting >= concurrency) return [];
  const message =
    `${concurrency} batches of ${formatSize(batch.bytes)} are more than this sink's share of memory_limit ` +
    `(${formatBytes(share)}): about ${fitting} can be full at once`;
  return [{ path: [...at, 'concurrency'], message }];
}

function lineWarnings({ spool, deadletter }: HttpSinkConfig, at: IssuePath, longestLine: number): Warning[] {
  return Object.entries({ spool, deadletter })
    .filter(([, { maxBytes }]) => maxBytes < longestLine)
    .map(([key, { maxBytes }]) => ({
      path: [...at, key, 'max_bytes'],
      message: `${formatSize(maxBytes)} cannot hold a line of max_line_bytes (${formatSize(longestLine)})`,
    }));
}

/** All spools stand below one directory: the sink with which they could fill the disk is told. */
function spaceWarnings({ stateDir, sinks }: Config, free: (directory: string) => number | undefined): Warning[] {
  const available = free(stateDir);
  if (available === undefined) return [];
  let wanted = 0;
  for (const [index, sink] of sinks.entries()) {
    if (sink.type !== 'http') continue;
    wanted += sink.spool.maxBytes;
    if (wanted <= available) continue;
    const message =
      `${stateDir} has ${formatBytes(available)} of disk left, and the spools up to this one may take ` +
      `${formatSize(wanted)}; a full disk stops everything that the agent writes there`;
    return [{ path: ['sinks', index, 'spool', 'max_bytes'], message }];
  }
  return [];
}
