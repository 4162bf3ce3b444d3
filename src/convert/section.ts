/** Where something stands. Line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One parameter as it was written. */
export interface Param {
  readonly key: string;
  /** Without quotes; arrays and hashes as their JSON. */
  readonly value: string;
  readonly place: Place;
}

/** A section of either tool: `<match audit.**>`, `[OUTPUT]`. The root has no name. */
export class Section {
  readonly name: string;
  /** What stands behind the name: the pattern of a `<match>`. */
  readonly arg: string;
  readonly place: Place;
  readonly params: Param[] = [];
  readonly sections: Section[] = [];

  constructor(name: string, arg: string, place: Place) {
    this.name = name;
    this.arg = arg;
    this.place = place;
  }

  /** The last one counts, as in both tools. Keys are looked up as they are written in lower case. */
  param(...keys: readonly string[]): Param | undefined {
    return this.params.findLast(({ key }) => keys.includes(key.toLowerCase()));
  }

  text(...keys: readonly string[]): string | undefined {
    return this.param(...keys)?.value;
  }

  find(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name);
  }

  all(name: string): Section[] {
    return this.sections.filter((section) => section.name === name);
  }

  /** The plugin: `@type`, `type` of fluentd before v0.12, `Name` of Fluent Bit. */
  get type(): string {
    return (this.text('@type', 'type', 'name') ?? '').toLowerCase();
  }
}
