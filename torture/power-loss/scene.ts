import { join } from 'node:path';
import { type Compression, type Durability, ENDINGS } from '../../src/config/types.ts';
import type { CrashSite } from './crash-site.ts';

/** The sinks of the recorded agent. */
export const ARCHIVE = 'archive';
export const RECEIVER = 'receiver';

/** What differs between the agents that are recorded. */
export interface AgentKeys {
  readonly durability: Durability;
  readonly compress: Compression;
}

/** Where things are on the host that loses power. */
export class Scene {
  readonly state: string;
  readonly archive: string;
  readonly logs: string;
  readonly log: string;

  constructor(site: CrashSite) {
    this.state = join(site.root, 'state');
    this.archive = join(site.root, 'archive');
    this.logs = join(site.root, 'log');
    this.log = join(this.logs, 'audit.log');
  }

  isLog(path: string): boolean {
    return path.startsWith(this.logs);
  }

  /** Everything that has a limit is met soon: few descriptors, small commits, spool files of an eighth of a mebibyte. */
  config(url: string, { durability, compress }: AgentKeys): Record<string, unknown> {
    return {
      state_dir: this.state,
      threads: 1,
      commit: { interval: '30ms', bytes: '256KiB', durability },
      sources: [{ name: 'apiserver', tag: 'audit', path: this.log, refresh_interval: '30ms', rotate_wait: '30ms' }],
      sinks: [
        {
          name: ARCHIVE,
          type: 'file',
          compress,
          path: join(this.archive, '${tag[1..]}', `%Y%m%d%H.log${ENDINGS[compress]}`),
          max_open_files: 4,
          grace: '0s',
        },
        {
          name: RECEIVER,
          type: 'http',
          format: 'ndjson',
          url,
          compress: 'none',
          batch: { events: 20, age: '10ms' },
          retry: { min: '10ms', max: '50ms' },
          spool: { after: '40ms', max_bytes: '1MiB' },
        },
      ],
    };
  }
}
