import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stageProgram } from '../../packaging/stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Lays the program out below a directory as its packages do, so that what is measured is what is installed: with its own
 * runtime, and with the environment that its launcher gives it.
 *
 * @returns the launcher
 * @throws Error without the build, or on a platform that there are no packages for
 */
export function installProgram(directory: string): string {
  const { arch } = process;
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`there are no packages for ${arch}`);
  stageProgram(ROOT, directory, arch);
  return join(directory, 'bin/auditail');
}
