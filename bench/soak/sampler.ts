import { setTimeout as sleep } from 'node:timers/promises';
import { directorySize } from '../../demo/directory-size.ts';
import { openDescriptors, residentBytes } from '../harness/process-look.ts';
import type { Sample } from './growth.ts';

/** Looks at a process again and again; when there is none, or it ends meanwhile, that look is left out. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: {
    readonly pid: () => number | undefined;
    readonly stateDirectory: string;
    readonly everyMs: number;
    readonly onSample: (sample: Sample) => void;
  }) {
    const started = performance.now();
    const run = async (): Promise<void> => {
      while (!this.#ending.signal.aborted) {
        await sleep(options.everyMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
        const pid = options.pid();
        if (pid === undefined) continue;
        const seconds = (performance.now() - started) / 1000;
        const [resident, descriptors] = [residentBytes(pid, 'VmRSS'), openDescriptors(pid)];
        if (resident === undefined || descriptors === undefined) continue;
        const { bytes } = await directorySize(options.stateDirectory);
        const sample = { seconds, residentBytes: resident, descriptors, stateBytes: bytes };
        this.samples.push(sample);
        options.onSample(sample);
      }
    };
    this.#done = run();
    // Told by end().
    this.#done.catch(() => {});
  }

  /** @throws Error when a look failed for another reason than that the process ended. */
  async end(): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }
}
