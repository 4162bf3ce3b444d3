import { type CounterName, counterKey, type Look } from './look.ts';

/** Rates are over this time. An archive counts at its commits, 5 s apart by default: two of them are always within. */
const WINDOW_MS = 12_000;

type Counted = Pick<Look, 'at' | 'uptimeSeconds' | 'counters'> & { readonly status: Pick<Look['status'], 'pid'> };

/** How fast the counters of an agent grow, between the newest look and the oldest that is at most twelve seconds older. */
export class Rates {
  #looks: Counted[] = [];

  /** Looks at another process begin anew. */
  add(look: Counted): void {
    const last = this.#looks.at(-1);
    if (last !== undefined && !isSameProcess(last, look)) this.#looks = [];
    this.#looks.push(look);
    // The last two always stay: looks may be further apart than the window is long.
    while (this.#looks.length > 2 && look.at - this.#looks[0]!.at > WINDOW_MS) this.#looks.shift();
  }

  /**
   * A second; undefined before there are two looks.
   *
   * A counter that grows in steps, slower than looks come, is measured from step to step: a look between two steps would
   * show a rate that the agent never had.
   *
   * @param label the name of the source or sink
   */
  perSecond(name: CounterName, label: string): number | undefined {
    const [first] = this.#looks;
    const last = this.#looks.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return undefined;
    const steps = increases(this.#looks, counterKey(name, label));
    const [firstStep] = steps;
    const lastStep = steps.at(-1);
    if (firstStep === undefined || lastStep === undefined) return 0;
    const between = lastStep.at - firstStep.at;
    const goesOn = last.at - lastStep.at <= between;
    if (between > 0 && goesOn) return (1000 * sum(steps.slice(1))) / between;
    return (1000 * sum(steps)) / (last.at - first.at);
  }
}

/** The looks at which a counter had grown, and by how much. */
function increases(looks: readonly Counted[], key: string): { at: number; by: number }[] {
  return looks.slice(1).flatMap(({ at, counters }, index) => {
    // A counter that is not there has counted nothing yet.
    const before = looks[index]!.counters.get(key) ?? 0;
    const value = counters.get(key) ?? 0;
    // What is less than before has begun anew.
    const by = value >= before ? value - before : value;
    return by === 0 ? [] : [{ at, by }];
  });
}

function sum(steps: readonly { readonly by: number }[]): number {
  return steps.reduce((total, { by }) => total + by, 0);
}

/** In containers each process may be the first one. */
function isSameProcess(one: Counted, next: Counted): boolean {
  return one.status.pid === next.status.pid && (next.uptimeSeconds ?? 0) >= (one.uptimeSeconds ?? 0);
}
