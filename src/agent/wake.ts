/** Lets one loop sleep until something happens or a time has come, whichever is first. */
export class Wake {
  #woken = false;
  #resolve: (() => void) | undefined;

  /** Wakes the sleeper, or lets the next sleep end at once. */
  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  async sleep(ms: number): Promise<void> {
    if (!this.#woken && ms > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      this.#resolve = undefined;
    }
    this.#woken = false;
  }
}
