import { type FieldPathSegment, parseFieldPath } from './field-path.ts';

/** Most UTF-8 bytes that JSON can take for one UTF-16 unit of a key: `\uXXXX`. */
const MAX_BYTES_PER_UNIT = 6;

/**
 * One step of the wanted paths. Paths with a common beginning share nodes; a node can be the end of some paths
 * (`slots`) and the beginning of others (`keyed` children for objects, `indexed` children for arrays).
 */
export class PathNode {
  /** The last segment of the path to this node; the root has the empty key. */
  readonly segment: FieldPathSegment;
  /** UTF-8 of the key when its bytes in JSON can only be these or an escaped form; undefined for other keys. */
  readonly bytes: Buffer | undefined;
  /** Numbers of the paths that end here. */
  readonly slots: number[] = [];
  /** Numbers of the paths that end here or below. */
  readonly slotsBelow: number[] = [];
  readonly keyed: PathNode[] = [];
  readonly indexed: PathNode[] = [];
  /** Keys with more bytes than this in the document cannot be a child's, however they are escaped. */
  maxKeyBytes = 0;
  /** True when a child's key is not plain ASCII, so that document keys must be decoded to be compared. */
  decodeKeys = false;

  constructor(segment: FieldPathSegment) {
    this.segment = segment;
    this.bytes = typeof segment === 'string' && /^[ !#-[\]-~]*$/.test(segment) ? Buffer.from(segment) : undefined;
  }

  /** The child for `segment`, made when it is missing. */
  grow(segment: FieldPathSegment): PathNode {
    const children = typeof segment === 'string' ? this.keyed : this.indexed;
    let child = children.find((candidate) => candidate.segment === segment);
    if (child === undefined) {
      child = new PathNode(segment);
      children.push(child);
      if (typeof segment === 'string') {
        this.maxKeyBytes = Math.max(this.maxKeyBytes, segment.length * MAX_BYTES_PER_UNIT);
        if (child.bytes === undefined) this.decodeKeys = true;
      }
    }
    return child;
  }

  childByKey(key: string): PathNode | undefined {
    return this.keyed.find((child) => child.segment === key);
  }
}

/** All wanted paths. */
export interface PathTree {
  readonly root: PathNode;
  /** Segments of the longest path. */
  readonly depth: number;
  /** Paths. */
  readonly count: number;
}

/**
 * The tree of all wanted paths; path number i has slot i.
 *
 * @throws AuditailError `FIELD_PATH`, see {@link parseFieldPath}.
 */
export function compilePaths(paths: readonly string[]): PathTree {
  const root = new PathNode('');
  let depth = 0;
  paths.forEach((path, slot) => {
    const segments = parseFieldPath(path);
    let node = root;
    for (const segment of segments) {
      node = node.grow(segment);
      node.slotsBelow.push(slot);
    }
    node.slots.push(slot);
    depth = Math.max(depth, segments.length);
  });
  return { root, depth, count: paths.length };
}
