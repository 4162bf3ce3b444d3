import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** Runs promtool (of `PROMTOOL`, or of the PATH); undefined, and the test is skipped with the reason, where there is none. */
export function promtool(
  context: TestContext,
  parameters: readonly string[],
  input?: string,
): SpawnSyncReturns<string> | undefined {
  const program = process.env.PROMTOOL ?? 'promtool';
  if (spawnSync(program, ['--version']).status === 0) {
    return spawnSync(program, parameters, { encoding: 'utf8', input });
  }
  context.skip('promtool is not installed (Debian package prometheus), and PROMTOOL does not name it');
  return undefined;
}
