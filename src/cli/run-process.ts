import { errorCode } from '../errors.ts';
import { flushLogs } from '../telemetry/logger.ts';
import { runProgram } from './program.ts';
import { exitCodeOf, formatError } from './report-error.ts';

/** Runs the command line of `process` and sets its exit code. */
export async function runProcess(process: NodeJS.Process): Promise<void> {
  endQuietlyWithoutReader(process);
  process.on('uncaughtException', (error) => {
    tell(process, error);
    process.exit(1);
  });
  try {
    process.exitCode = await runProgram(process.argv.slice(2), process);
  } catch (error) {
    tell(process, error);
    process.exitCode = exitCodeOf(error);
  }
}

function tell(process: NodeJS.Process, error: unknown): void {
  flushLogs();
  process.stderr.write(formatError(error, process.env));
}

/** `auditail … | head` is done when head is: what nobody reads is no failure. */
function endQuietlyWithoutReader(process: NodeJS.Process): void {
  process.stdout.on('error', (error) => {
    if (errorCode(error) !== 'EPIPE') throw error;
    process.exit();
  });
  // An error that cannot be told is told to nobody; to throw it would only ask for it to be told.
  process.stderr.on('error', () => undefined);
}
