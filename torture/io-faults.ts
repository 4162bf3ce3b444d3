import type { FaultRule } from './fault-control.ts';

/** What goes wrong in the agent's file calls, for a while. `log`, `archive` and `state` are directories. */
export const IO_FAULTS = [
  'EIO on writing the archive',
  'EIO on writing the state',
  'EIO on syncing the archive',
  'EIO on syncing the state',
  'EIO on reading the log',
  'EIO on opening the log',
  'EIO on cutting the archive',
  'ENOSPC on writing the archive',
  'ENOSPC on writing the state',
  'EMFILE on opening anything',
  'short writes',
  'short reads of the log',
  'slow syncs',
  'slow writes',
] as const;
export type IoFault = (typeof IO_FAULTS)[number];

/** Not every call, so that what comes behind a failure is met too. */
export const IO_FAULT_RULES: Readonly<Record<IoFault, FaultRule>> = {
  'EIO on writing the archive': { calls: ['write'], directories: ['archive'], every: 3, error: 'EIO' },
  'EIO on writing the state': { calls: ['write'], directories: ['state'], every: 5, error: 'EIO' },
  'EIO on syncing the archive': { calls: ['sync'], directories: ['archive'], every: 2, error: 'EIO' },
  'EIO on syncing the state': { calls: ['sync'], directories: ['state'], every: 2, error: 'EIO' },
  'EIO on reading the log': { calls: ['read'], directories: ['log'], every: 3, error: 'EIO' },
  'EIO on opening the log': { calls: ['open'], directories: ['log'], every: 2, error: 'EIO' },
  'EIO on cutting the archive': { calls: ['truncate', 'unlink'], directories: ['archive'], every: 2, error: 'EIO' },
  'ENOSPC on writing the archive': { calls: ['write'], directories: ['archive'], every: 2, error: 'ENOSPC' },
  'ENOSPC on writing the state': { calls: ['write'], directories: ['state'], every: 2, error: 'ENOSPC' },
  'EMFILE on opening anything': {
    calls: ['open'],
    directories: ['log', 'archive', 'state'],
    every: 2,
    error: 'EMFILE',
  },
  'short writes': { calls: ['write'], directories: ['archive', 'state'], every: 2, halve: true },
  'short reads of the log': { calls: ['read'], directories: ['log'], every: 2, halve: true },
  'slow syncs': { calls: ['sync'], directories: ['archive', 'state'], every: 2, pauseMs: 300 },
  'slow writes': { calls: ['write'], directories: ['archive', 'state'], every: 7, pauseMs: 60 },
};
