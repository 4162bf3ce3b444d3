#!/usr/bin/env node
import os from 'node:os';
import process from 'node:process';
import v8 from 'node:v8';
import { closeEarlyDebugger, takeSigusr1 } from './early-debugger.ts';
import { majorVersion, unsupportedNode } from './node-version.ts';

/** Threads of libuv's pool beyond one a core, for file calls that wait while all cores compress. */
const SPARE_POOL_THREADS = 4;

// Without this V8 counts buffers outside of its heap as if they were on it, and goes through the whole heap for each 16 MB of
// them: in a catch-up ten times a second. A version that does not know a flag complains on stderr.
if (majorVersion(process.versions.node) >= 26) v8.setFlagsFromString('--external-memory-accounted-in-global-limit');
// The space of young objects stays at its first size of 1 MB: an event leaves nothing behind, and a busy moment would enlarge it
// to 48 MB, for good. It costs a catch-up no time.
v8.setFlagsFromString('--semi-space-growth-factor=1');
takeSigusr1();
const unsupported = unsupportedNode(process.versions.node);
if (unsupported === undefined) {
  // libuv reads this once, when the pool is first used; so everything else is loaded after it.
  process.env.UV_THREADPOOL_SIZE ||= String(os.availableParallelism() + SPARE_POOL_THREADS);
  const { runProcess } = await import('./cli/run-process.ts');
  await closeEarlyDebugger();
  await runProcess(process);
} else {
  process.stderr.write(`auditail: ${unsupported}\n`);
  process.exitCode = 1;
}
