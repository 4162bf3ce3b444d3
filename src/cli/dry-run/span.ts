/** How many lines, how many bytes of them with their newlines, and from when to when (milliseconds since the epoch). */
export class Span {
  events = 0;
  bytes = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** @param time undefined for what has no time of its own */
  add(bytes: number, time: number | undefined): void {
    this.events += 1;
    this.bytes += bytes;
    if (time === undefined) return;
    if (time < this.#first) this.#first = time;
    if (time > this.#last) this.#last = time;
  }

  /** Undefined when nothing in it had a time. */
  get firstTime(): number | undefined {
    return this.#first === Number.POSITIVE_INFINITY ? undefined : this.#first;
  }

  get lastTime(): number | undefined {
    return this.#last === Number.NEGATIVE_INFINITY ? undefined : this.#last;
  }
}
