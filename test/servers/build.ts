// Builds the receivers of `npm run test:servers` into a cache outside the checkout, and says what it could not build.
import { spawnSync } from 'node:child_process';
import { buildProgram } from './build-program.ts';
import { fetchNginx, findNginx } from './nginx.ts';
import { cacheDirectory, findBuilt, PROGRAMS, type ProgramName } from './programs.ts';

/**
 * For all builds together, so that .ci/run stays under half an hour where nothing is built yet. What is not built by then is
 * skipped by the tests, and the next run goes on from there.
 */
const LIMIT_MS = 6 * 60_000;

const names = Object.keys(PROGRAMS) as ProgramName[];
if (spawnSync('go', ['version']).status !== 0) {
  const missing = names.filter((name) => findBuilt(name) === undefined);
  if (missing.length > 0) console.log(`not built: ${missing.join(', ')}: there is no go on the PATH`);
} else {
  const signal = AbortSignal.timeout(LIMIT_MS);
  console.log(`receivers in ${cacheDirectory()}`);
  for (const program of Object.values(PROGRAMS)) {
    const what = `${program.name} ${program.version}`;
    if (findBuilt(program.name) === undefined) console.log(`${what}: building`);
    const start = performance.now();
    const built = await buildProgram(program, signal);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if ('path' in built) {
      console.log(`${what}: ${built.state}${built.state === 'built' ? ` in ${seconds} s` : ''}`);
    } else {
      console.log(`${what}: not built (${built.state}, ${seconds} s): ${built.reason}`);
      // What could be fetched and does not compile is a mistake in here, and not one of the machine.
      if (built.state === 'failed') process.exitCode = 1;
    }
  }
}

const installed = findNginx();
if (installed !== undefined) {
  console.log(`nginx: ${installed}`);
} else {
  try {
    fetchNginx();
    console.log(`nginx: unpacked from Debian's package to ${findNginx()}`);
  } catch (error) {
    console.log(`nginx: not on the PATH, not in /usr/sbin, and not unpacked: ${(error as Error).message}`);
  }
}
