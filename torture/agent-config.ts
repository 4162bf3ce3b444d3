import { join } from 'node:path';
import { MAX_LINE_BYTES } from './line-maker.ts';

/** In the requests, and nowhere else. */
export const SECRET = 'hunter2pass-of-the-torture';

export interface TorturePaths {
  readonly log: string;
  readonly archive: string;
  readonly state: string;
  /** Of the admin listener: a socket has 107 bytes at most. */
  readonly socket: string;
}

export interface TortureSinks {
  readonly elasticsearch: string;
  readonly ndjson: string;
}

export interface ConfigOptions {
  readonly paths: TorturePaths;
  readonly urls: TortureSinks;
  readonly compress: 'gzip' | 'zstd';
  readonly durability: 'disk' | 'process';
}

/**
 * The agent's configuration: nothing waits long, and the spool is small, so that sinks fall behind.
 *
 * @param variant what a reload changes; 0 is the first one.
 */
export function agentConfig(options: ConfigOptions, variant: number): Record<string, unknown> {
  const { paths, urls, compress, durability } = options;
  const pick = <T>(values: readonly T[], divisor: number): T => values[Math.floor(variant / divisor) % values.length]!;
  const extension = compress === 'gzip' ? 'gz' : 'zst';
  const quick = {
    type: 'http',
    auth: { bearer: SECRET },
    timeout: '1s',
    retry: { min: '20ms', max: '300ms' },
    spool: { after: '300ms', max_bytes: '2MiB' },
  };
  return {
    state_dir: paths.state,
    log: { level: pick(['info', 'debug', 'trace'], 1) },
    admin: { listen: `unix:${paths.socket}` },
    memory_limit: pick(['16MiB', '64MiB', '8MiB'], 3),
    commit: { interval: pick(['200ms', '100ms', '1s'], 9), durability },
    shutdown_timeout: '5s',
    sources: [
      {
        name: 'apiserver',
        tag: 'audit',
        path: paths.log,
        refresh_interval: '200ms',
        rotate_wait: '300ms',
        max_line_bytes: MAX_LINE_BYTES,
      },
    ],
    sinks: [
      {
        name: 'archive',
        type: 'file',
        path: join(paths.archive, `audit-\${tag[1..]}.%Y%m%d%H.log.${extension}`),
        compress,
        max_open_files: pick([256, 4], 2),
      },
      {
        name: 'es',
        format: 'elasticsearch',
        index: 'audit-${tag[1..]}-%Y.%m.%d',
        url: urls.elasticsearch,
        unparsed: 'skip',
        ...quick,
        batch: { events: pick([200, 20, 500], 5), bytes: '256KiB', age: '50ms' },
      },
      {
        name: 'hook',
        format: 'ndjson',
        url: `${urls.ndjson}/in`,
        ...quick,
        batch: { events: 100, bytes: '256KiB', age: '30ms' },
        concurrency: pick([2, 1], 4),
      },
    ],
  };
}

/** Configurations that have to be refused, as texts. */
export function brokenConfig(options: ConfigOptions, variant: number): string {
  const config = agentConfig(options, 0);
  const broken = [
    'sources: [',
    JSON.stringify({ ...config, threads: 0, mystery: true }),
    JSON.stringify({ ...config, state_dir: `${options.paths.state}-another` }),
    JSON.stringify({ ...config, sinks: [{ name: 'es', type: 'http', format: 'ndjson', url: 7, auth: SECRET }] }),
  ];
  return broken[variant % broken.length]!;
}
