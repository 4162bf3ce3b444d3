import type { PathNode, PathTree } from './path-trie.ts';

/** The module keeps nothing in its memory before this. */
const START = 1024;

const WORD_BYTES = 4;

/** A tree of wanted paths as it lies in the memory of the scanner's loop, with room for its results. Addresses are of that. */
export interface PathTables {
  readonly start: number;
  /** What stands from `start` on. */
  readonly image: Buffer;
  /** Behind the image. */
  readonly end: number;
  readonly root: number;
  /** By depth: a node and the index of an element. */
  readonly nodes: number;
  readonly indexes: number;
  /** By path number. */
  readonly kinds: number;
  readonly starts: number;
  readonly ends: number;
  /** The address of the child of a node whose key is this text; 0 for none. */
  childByKey(node: number, key: string): number;
}

/** Lays out a tree of paths as `wasm/path-node.ts` reads it. */
export function layOutPaths({ root, depth, count }: PathTree): PathTables {
  const image = new Image();
  const addresses = new Map<PathNode, number>();
  const rootAt = layOutNode(root, image, addresses);
  const nodeAt = new Map([...addresses].map(([node, address]) => [address, node]));
  const levels = new Array<number>(depth + 1);
  const results = new Array<number>(count).fill(0);
  return {
    start: START,
    root: rootAt,
    nodes: image.addWords(levels.fill(rootAt)),
    indexes: image.addWords(levels.fill(0)),
    kinds: image.add(Buffer.alloc(count)),
    starts: image.addWords(results),
    ends: image.addWords(results),
    image: image.bytes,
    end: image.end,
    childByKey(node, key) {
      const child = nodeAt.get(node)?.childByKey(key);
      return child === undefined ? 0 : addresses.get(child)!;
    },
  };
}

/** Children before their parent, which names their addresses. */
function layOutNode(node: PathNode, image: Image, addresses: Map<PathNode, number>): number {
  const { slots, slotsBelow, maxKeyBytes, decodeKeys, segment } = node;
  const [keyed, indexed] = [node.keyed, node.indexed].map((children) =>
    children.map((child) => layOutNode(child, image, addresses)),
  ) as [number[], number[]];
  const key = node.bytes ?? Buffer.alloc(0);
  const address = image.addWords([
    ...[slots, slotsBelow, keyed, indexed].flatMap((list) => [image.addWords(list), list.length]),
    maxKeyBytes,
    decodeKeys ? 1 : 0,
    image.add(key),
    key.length,
    typeof segment === 'number' ? segment : 0,
  ]);
  addresses.set(node, address);
  return address;
}

class Image {
  readonly #parts: Buffer[] = [];
  end = START;

  /** The address that the bytes come to stand at, which is that of a whole word. */
  add(bytes: Buffer): number {
    const address = this.end;
    const padding = Buffer.alloc(-bytes.length & (WORD_BYTES - 1));
    this.#parts.push(bytes, padding);
    this.end += bytes.length + padding.length;
    return address;
  }

  addWords(words: readonly number[]): number {
    const bytes = Buffer.alloc(words.length * WORD_BYTES);
    words.forEach((word, index) => {
      bytes.writeUInt32LE(word, index * WORD_BYTES);
    });
    return this.add(bytes);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
