/** Time as a sink sees it. */
export interface Clock {
  /** Milliseconds since some moment. It never goes back, so that no correction of the host's time makes a batch wait. */
  readonly now: () => number;
  /** Calls `run` once after that many milliseconds; what it gives prevents that. It does not keep the process alive. */
  readonly after: (ms: number, run: () => void) => () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
