/** How often each fault was done, and how often it could not be, with the reason. */
export class FaultTally {
  readonly done = new Map<string, number>();
  readonly leftOut = new Map<string, string>();

  count(fault: string, times = 1): void {
    this.done.set(fault, (this.done.get(fault) ?? 0) + times);
  }

  leaveOut(fault: string, reason: string): void {
    this.leftOut.set(fault, reason);
  }
}
