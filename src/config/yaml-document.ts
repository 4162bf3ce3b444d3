import {
  CORE_SCHEMA,
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  mergeTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml';
import { ConfigError, type IssuePath } from './config-error.ts';

/** Aliases (`*name`) that one file may use; enough to share a list of excludes, too few to be a bomb. */
const MAX_ALIASES = 100;

const SCHEMA = CORE_SCHEMA.withTags(mergeTag);

/** What stands where in a YAML text. Offsets count UTF-16 units from its start. */
interface YamlNode {
  offset: number;
  /** Where the key stands whose value this is; the same as `offset` outside mappings. */
  keyOffset: number;
  entries?: Map<string, YamlNode>;
  items?: YamlNode[];
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed YAML file: its value, and the place of each node in it. */
export class YamlDocument {
  /** Plain JavaScript values; undefined when the file holds nothing. Nodes that are aliased are shared. */
  readonly value: unknown;
  /** Paths of keys that stand twice in one mapping, with the place of the later one. */
  readonly duplicates: readonly { readonly path: IssuePath; readonly position: Position }[];
  readonly #lineStarts: readonly number[];
  readonly #root: YamlNode | undefined;

  /** Throws {@link ConfigError} with one issue for a syntax error, since what follows one means nothing. */
  constructor(text: string, file: string) {
    this.#lineStarts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)];
    const duplicates: { path: IssuePath; offset: number }[] = [];
    try {
      const events = parseEvents(text, {});
      this.#root = new TreeBuilder(text, events, duplicates).build();
      const secondDocument = events.findIndex((event, i) => i > 0 && event.type === EVENT_ID.DOCUMENT);
      if (secondDocument !== -1) {
        const next = events[secondDocument + 1];
        const offset = next !== undefined && 'start' in next ? next.start : text.length;
        YAMLException.throwAt(text, offset, 'a second YAML document begins here; one file holds one configuration');
      }
      // Duplicates are told with everything else, so the constructor must not stop at the first.
      this.value = constructFromEvents(events, {
        source: text,
        schema: SCHEMA,
        json: true,
        maxAliases: MAX_ALIASES,
      })[0];
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      const position = this.#position(error.mark?.position ?? 0);
      throw new ConfigError(file, [{ ...position, path: '', message: `not valid YAML: ${reasonOf(error)}` }]);
    }
    this.duplicates = duplicates.map(({ path, offset }) => ({ path, position: this.#position(offset) }));
  }

  /**
   * The place of a node, or of its nearest ancestor that is in the file (for what is missing or has its default).
   * `key` gives the place of a mapping's key instead of its value.
   */
  locate(path: IssuePath, part: 'key' | 'value' = 'value'): Position {
    let node = this.#root;
    for (const step of path) {
      const child = typeof step === 'number' ? node?.items?.[step] : lookUp(node, step);
      if (child === undefined) return this.#position(node?.offset ?? 0);
      node = child;
    }
    return this.#position((part === 'key' ? node?.keyOffset : node?.offset) ?? 0);
  }

  #position(offset: number): Position {
    // The last line that starts at or before the offset.
    let line = 0;
    let end = this.#lineStarts.length;
    while (end - line > 1) {
      const middle = (line + end) >> 1;
      if (this.#lineStarts[middle]! <= offset) line = middle;
      else end = middle;
    }
    return { line: line + 1, column: offset - this.#lineStarts[line]! + 1 };
  }
}

/** What js-yaml says, without the names that it quotes: a password that begins with * or ! is one to YAML. */
function reasonOf({ reason }: YAMLException): string {
  if (/^unidentified alias/.test(reason))
    return 'an alias that is not defined before; put text that begins with * in quotes';
  if (/^(unknown .*tag|undeclared tag|tag name|cannot resolve)/.test(reason))
    return 'a tag that is not known; put text that begins with ! in quotes';
  return reason;
}

/** A key's node, also one that came in through a merge (`<<: *base`), however deep. */
function lookUp(node: YamlNode | undefined, key: string, depth = 0): YamlNode | undefined {
  const own = node?.entries?.get(key);
  const merged = node?.entries?.get('<<');
  if (own !== undefined || merged === undefined || depth > MAX_ALIASES) return own;
  for (const source of merged.items ?? [merged]) {
    const found = lookUp(source, key, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Builds the first document's tree of places from js-yaml's flat events. */
class TreeBuilder {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #duplicates: { path: IssuePath; offset: number }[];
  readonly #anchors = new Map<string, YamlNode>();
  #next = 0;

  constructor(text: string, events: readonly Event[], duplicates: { path: IssuePath; offset: number }[]) {
    this.#text = text;
    this.#events = events;
    this.#duplicates = duplicates;
  }

  build(): YamlNode | undefined {
    if (this.#events[0]?.type !== EVENT_ID.DOCUMENT) return undefined;
    this.#next = 1;
    return this.#node([], 0);
  }

  /** Reads one node; an absent value stands where its key does. The parser has limited the depth. */
  #node(path: IssuePath, keyOffset: number): YamlNode {
    const event = this.#take();
    const node: YamlNode = { offset: keyOffset, keyOffset };
    if (event.type === EVENT_ID.ALIAS) {
      const target = this.#anchors.get(this.#text.slice(event.anchorStart, event.anchorEnd));
      return { ...target, offset: event.anchorStart - 1, keyOffset };
    }
    if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return node;
    if (event.anchorStart !== -1) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), node);
    if (event.type === EVENT_ID.SCALAR) {
      node.offset = scalarOffset(event) ?? keyOffset;
      return node;
    }
    node.offset = event.start;
    if (event.type === EVENT_ID.MAPPING) this.#entries(node, path);
    else this.#items(node, path);
    return node;
  }

  #entries(node: YamlNode, path: IssuePath): void {
    node.entries = new Map();
    while (!this.#atPop()) {
      const event = this.#events[this.#next];
      const name = event?.type === EVENT_ID.SCALAR ? getScalarValue(this.#text, event) : '';
      const key = this.#node(path, node.offset);
      const valuePath = [...path, name];
      if (node.entries.has(name)) this.#duplicates.push({ path: valuePath, offset: key.offset });
      node.entries.set(name, this.#node(valuePath, key.offset));
    }
  }

  #items(node: YamlNode, path: IssuePath): void {
    node.items = [];
    while (!this.#atPop()) node.items.push(this.#node([...path, node.items.length], node.offset));
  }

  #atPop(): boolean {
    if (this.#events[this.#next]?.type !== EVENT_ID.POP) return false;
    this.#next += 1;
    return true;
  }

  #take(): Event {
    const event = this.#events[this.#next] as Event;
    this.#next += 1;
    return event;
  }
}

function scalarOffset(event: ScalarEvent): number | undefined {
  if (event.valueStart === -1) return undefined;
  const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return quoted ? event.valueStart - 1 : event.valueStart;
}
