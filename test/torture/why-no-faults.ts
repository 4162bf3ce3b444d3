import { fileURLToPath } from 'node:url';
import { buildShim } from '../../torture/shim/build-shim.ts';

/** Why no file call can be made to fail here, for a test to be skipped with; false where it can. */
export function whyNoFaults(): string | false {
  try {
    buildShim(fileURLToPath(new URL('../../torture/shim/faults.c', import.meta.url)));
    return false;
  } catch (error) {
    return `no library of faults could be made: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}
