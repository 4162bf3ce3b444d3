import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { agentCommand } from '../test/helpers/agent-process.ts';

/** Far more than a demo that is in order ever prints. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/**
 * The dead letters that `auditail deadletter list --json` shows, each as a line of JSON.
 *
 * @param file where the configuration is written to.
 * @throws Error when the command fails.
 */
export async function listDeadLetters(config: Readonly<Record<string, unknown>>, file: string): Promise<string[]> {
  writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  const [program, ...args] = agentCommand();
  const { stdout } = await promisify(execFile)(program!, [...args, 'deadletter', 'list', '-c', file, '--json'], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return stdout.split('\n').filter((line) => line !== '');
}
