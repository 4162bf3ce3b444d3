import type { Random } from '../../bench/random.ts';
import type { Survival } from './file-history.ts';

/** What one name stands for from now on; undefined: nothing. */
export interface NameChange {
  readonly directory: bigint;
  readonly name: string;
  readonly inode: bigint | undefined;
}

interface Step {
  readonly sequence: number;
  /** Two for a rename, which is done as a whole. */
  readonly changes: readonly NameChange[];
}

/** Names of one directory and what they stand for. */
export type Names = Map<string, bigint>;

/** Every directory by its inode: what of its names is durable, and what was done since. */
export class NameHistory {
  readonly #durable = new Map<bigint, Names>();
  #pending: Step[] = [];

  /** @param names what is durable of a directory that is there from the beginning. */
  addDirectory(inode: bigint, names: Names = new Map()): void {
    this.#durable.set(inode, names);
  }

  has(directory: bigint): boolean {
    return this.#durable.has(directory);
  }

  change(sequence: number, changes: readonly NameChange[]): void {
    this.#pending.push({ sequence, changes });
  }

  /** A sync of a directory that covers everything before `sequence` has ended. */
  settle(sequence: number, directory: bigint): void {
    this.#settle((step) => step.sequence < sequence && step.changes.some((change) => change.directory === directory));
  }

  /** A journal that holds everything before `sequence` was written. */
  settleAll(sequence: number): void {
    this.#settle((step) => step.sequence < sequence);
  }

  /** As a program sees them. */
  current(): Map<bigint, Names> {
    return this.#after(this.#pending);
  }

  /**
   * As they may be after a crash. `isOrdered`: as they were at one moment, which a journal gives; else the changes of each name
   * are in order, and those of different names in none.
   */
  afterCrash(random: Random, survival: Survival, isOrdered: boolean): Map<bigint, Names> {
    if (survival === 'nothing') return this.#after([]);
    if (survival === 'everything') return this.current();
    if (isOrdered) return this.#after(this.#pending.slice(0, random.below(this.#pending.length + 1)));
    const probability = random.pick([0, 0.5, 0.5, 1]);
    const lost = new Set<string>();
    return this.#after(
      this.#pending.filter(({ changes }) => {
        const names = changes.map(({ directory, name }) => `${directory}/${name}`);
        if (random.chance(probability) && !names.some((name) => lost.has(name))) return true;
        for (const name of names) lost.add(name);
        return false;
      }),
    );
  }

  #settle(isDurable: (step: Step) => boolean): void {
    const left: Step[] = [];
    for (const step of this.#pending) {
      if (isDurable(step)) apply(this.#durable, step);
      else left.push(step);
    }
    this.#pending = left;
  }

  #after(steps: readonly Step[]): Map<bigint, Names> {
    const result = new Map([...this.#durable].map(([inode, names]) => [inode, new Map(names)]));
    for (const step of steps) apply(result, step);
    return result;
  }
}

function apply(all: Map<bigint, Names>, { changes }: Step): void {
  for (const { directory, name, inode } of changes) {
    const names = all.get(directory);
    if (names === undefined) throw new Error(`there is no directory with the inode ${directory}, to hold ${name}`);
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
}
