import { setTimeout as sleep } from 'node:timers/promises';
import type { ArchiveThief } from './archive-thief.ts';
import type { FaultRule } from './fault-control.ts';
import { IO_FAULT_RULES } from './io-faults.ts';
import type { Disk, HostStep } from './plan.ts';
import type { TortureScene } from './scene.ts';
import type { FaultTally } from './tally.ts';

export interface HostNemesisDeps {
  readonly scene: TortureScene;
  readonly thief: ArchiveThief;
  readonly tally: FaultTally;
}

const READ_ONLY: Omit<FaultRule, 'directories'> = {
  calls: ['write', 'create', 'truncate', 'unlink'],
  every: 1,
  error: 'EROFS',
};

/** Does to the host and to the archive what the plan says, and knows when the host failed. */
export class HostNemesis {
  readonly #deps: HostNemesisDeps;
  #failing = 0;
  #lastFailureMs = 0;

  constructor(deps: HostNemesisDeps) {
    this.#deps = deps;
  }

  /** Whether anything of the host failed at any time from then until now. */
  failedSince(ms: number): boolean {
    return this.#failing > 0 || this.#lastFailureMs >= ms;
  }

  async perform(step: HostStep): Promise<void> {
    const { scene, thief, tally } = this.#deps;
    const { disks, faults, whyNoDisks, whyNoFaults } = scene;
    switch (step.kind) {
      case 'disk full': {
        const name = `disk full: ${step.disk}`;
        if (disks === undefined) return tally.leaveOut(name, whyNoDisks);
        await this.#failFor(step.forMs, () => {
          disks[step.disk].fill();
          return () => disks[step.disk].free();
        });
        return tally.count(name);
      }
      case 'disk read-only': {
        const name = `disk read-only: ${step.disk}`;
        if (disks === undefined && faults === undefined) return tally.leaveOut(name, `${whyNoDisks}; ${whyNoFaults}`);
        await this.#failFor(step.forMs, () => this.#makeReadOnly(step.disk));
        return tally.count(name);
      }
      case 'file calls fail': {
        if (faults === undefined) return tally.leaveOut(step.fault, whyNoFaults);
        let hits = 0;
        await this.#failFor(step.forMs, () => {
          const rule = faults.on(IO_FAULT_RULES[step.fault]);
          return () => {
            hits = faults.off(rule);
          };
        });
        return tally.count(`${step.fault} (calls)`, hits);
      }
      case 'clock stepped':
        if (faults === undefined) return tally.leaveOut(step.kind, whyNoFaults);
        scene.clockMs = step.aheadMs;
        faults.setClock(step.aheadMs);
        return tally.count(step.kind);
      case 'archive file deleted':
      case 'archive file exchanged': {
        const isTaken = await thief.take(step.which, { exchange: step.kind === 'archive file exchanged' });
        if (isTaken) tally.count(step.kind);
        return;
      }
    }
  }

  /** A disk on which files are open for writing cannot be made read-only: then the calls fail as they would there. */
  #makeReadOnly(disk: Disk): () => void {
    const { scene, tally } = this.#deps;
    const { disks, faults } = scene;
    if (disks !== undefined) {
      try {
        disks[disk].remount('ro');
        tally.count(`disk read-only: ${disk}, by remounting`);
        return () => disks[disk].remount('rw');
      } catch (error) {
        if (faults === undefined) throw error;
      }
    }
    const rule = faults!.on({ ...READ_ONLY, directories: [disk] });
    return () => faults!.off(rule);
  }

  async #failFor(forMs: number, begin: () => () => void): Promise<void> {
    this.#failing++;
    let end: (() => void) | undefined;
    try {
      end = begin();
      await sleep(forMs);
    } finally {
      end?.();
      this.#failing--;
      this.#lastFailureMs = Date.now();
    }
  }
}
