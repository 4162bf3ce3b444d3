const DOT = 46;
const NONE = -1;

/** `code` leads to `to`; `loop` stays here; `free`, `ifStart` and `ifBoundary` take no character. */
interface State {
  code: number;
  to: number;
  loop: 'none' | 'part' | 'any';
  readonly free: number[];
  /** Taken at the start of the tag only. */
  ifStart: number;
  /** Taken when a dot or the end of the tag comes next. */
  ifBoundary: number;
}

/**
 * A nondeterministic automaton over the UTF-16 code units of a tag, built from left to right. All states that a prefix
 * of the tag can reach are followed at once, so a match takes tag length × number of states at worst and never goes back.
 */
export class TagAutomaton {
  readonly #states: State[] = [];
  readonly #groups: { start: number; ends: number[] }[] = [];
  #end = this.#newState();

  /** One code unit. */
  literal(code: number): void {
    const from = this.#states[this.#append()]!;
    from.code = code;
    from.to = this.#end;
  }

  /** Any text without a dot. */
  part(): void {
    this.#states[this.#append()]!.free.push(this.#end);
    this.#states[this.#end]!.loop = 'part';
  }

  /** Any text. */
  any(): void {
    this.#states[this.#append()]!.free.push(this.#end);
    this.#states[this.#end]!.loop = 'any';
  }

  /** Any text that ends with a dot, or the start of the tag. */
  anyParts(): void {
    const start = this.#end;
    this.any();
    this.literal(DOT);
    this.#states[start]!.ifStart = this.#end;
  }

  /** Nothing, where a dot or the end of the tag follows. */
  boundary(): void {
    this.#states[this.#append()]!.ifBoundary = this.#end;
  }

  /** Begins alternatives with the first of them. */
  openGroup(): void {
    this.#groups.push({ start: this.#end, ends: [] });
    this.#beginAlternative(this.#end);
  }

  nextAlternative(): void {
    const group = this.#groups.at(-1)!;
    group.ends.push(this.#end);
    this.#beginAlternative(group.start);
  }

  closeGroup(): void {
    const group = this.#groups.pop()!;
    const join = this.#newState();
    for (const from of [...group.ends, this.#end]) this.#states[from]!.free.push(join);
    this.#end = join;
  }

  /** Whether the whole tag is accepted. */
  matches(tag: string): boolean {
    const seenAt = new Int32Array(this.#states.length).fill(NONE);
    let reached: number[] = [];
    reach(reached, seenAt, 0, 0);
    for (let at = 0; at < tag.length; at += 1) {
      const code = tag.charCodeAt(at);
      this.#follow(reached, seenAt, at, code === DOT);
      const next: number[] = [];
      for (const index of reached) {
        const state = this.#states[index]!;
        if (state.code === code) reach(next, seenAt, at + 1, state.to);
        if (state.loop === 'any' || (state.loop === 'part' && code !== DOT)) reach(next, seenAt, at + 1, index);
      }
      if (next.length === 0) return false;
      reached = next;
    }
    this.#follow(reached, seenAt, tag.length, true);
    return seenAt[this.#end] === tag.length;
  }

  /** Adds what `reached` leads to without taking a character. */
  #follow(reached: number[], seenAt: Int32Array, at: number, boundary: boolean): void {
    for (let i = 0; i < reached.length; i += 1) {
      const state = this.#states[reached[i]!]!;
      for (const next of state.free) reach(reached, seenAt, at, next);
      if (at === 0) reach(reached, seenAt, at, state.ifStart);
      if (boundary) reach(reached, seenAt, at, state.ifBoundary);
    }
  }

  #beginAlternative(start: number): void {
    this.#end = this.#newState();
    this.#states[start]!.free.push(this.#end);
  }

  /** Adds a state, makes it the end, and returns the end before it. */
  #append(): number {
    const from = this.#end;
    this.#end = this.#newState();
    return from;
  }

  #newState(): number {
    return this.#states.push({ code: NONE, to: NONE, loop: 'none', free: [], ifStart: NONE, ifBoundary: NONE }) - 1;
  }
}

function reach(list: number[], seenAt: Int32Array, at: number, state: number): void {
  if (state === NONE || seenAt[state] === at) return;
  seenAt[state] = at;
  list.push(state);
}
