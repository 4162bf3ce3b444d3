#!/usr/bin/env node
import os from 'node:os';
import process from 'node:process';
import { closeEarlyDebugger, takeSigusr1 } from './early-debugger.ts';
import { unsupportedNode } from './node-version.ts';

/** Threads of libuv's pool beyond one a core, for file calls that wait while all cores compress. */
const SPARE_POOL_THREADS = 4;

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
