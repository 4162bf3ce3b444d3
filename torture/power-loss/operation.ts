import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** What torture/shim/record.c writes, by number. `mark` is only written here. */
export const OPERATION_KINDS = [
  'create',
  'write',
  'truncate',
  'rename',
  'unlink',
  'mkdir',
  'link',
  'sync-begin',
  'sync-end',
  'mark',
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** One change of the file system, or the beginning or end of a sync. */
export interface Operation {
  readonly kind: OperationKind;
  /** Who did it: the end of a sync belongs to the beginning by the same thread. */
  readonly thread: number;
  readonly inode: bigint;
  /** Of a write; the new length of a truncation. */
  readonly offset: number;
  /** Absolute; empty for what is done with a descriptor. */
  readonly path: string;
  /** The new name of a rename. */
  readonly target: string;
  readonly data: Buffer;
}

const HEADER_BYTES = 40;
const NOTHING = Buffer.alloc(0);

/** Reads a whole record. What a process that was killed wrote is whole, too: each operation is one write(2). */
export function readOperations(path: string): Operation[] {
  const bytes = readFileSync(path);
  const operations: Operation[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) {
    const pathStart = at + HEADER_BYTES;
    const targetStart = pathStart + bytes.readUInt32LE(at + 12);
    const dataStart = targetStart + bytes.readUInt32LE(at + 16);
    const kind = OPERATION_KINDS[bytes.readUInt32LE(at + 4)];
    if (kind === undefined) throw new Error(`${path}: no record begins at byte ${at}`);
    operations.push({
      kind,
      thread: bytes.readUInt32LE(at + 8),
      inode: bytes.readBigUInt64LE(at + 24),
      offset: Number(bytes.readBigUInt64LE(at + 32)),
      path: bytes.toString('utf8', pathStart, targetStart),
      target: bytes.toString('utf8', targetStart, dataStart),
      data: bytes.subarray(dataStart, dataStart + bytes.readUInt32LE(at + 20)),
    });
  }
  return operations;
}

/** Puts what this process does into the record of another one. */
export class OperationLog {
  readonly path: string;
  readonly #fd: number;

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'a', 0o600);
  }

  append(operation: { readonly kind: OperationKind } & Partial<Operation>): void {
    const { kind, inode = 0n, offset = 0, path = '', target = '', data = NOTHING } = operation;
    const [from, to] = [Buffer.from(path), Buffer.from(target)];
    const header = Buffer.alloc(HEADER_BYTES);
    const size = HEADER_BYTES + from.length + to.length + data.length;
    header.writeUInt32LE(size, 0);
    header.writeUInt32LE(OPERATION_KINDS.indexOf(kind), 4);
    header.writeUInt32LE(from.length, 12);
    header.writeUInt32LE(to.length, 16);
    header.writeUInt32LE(data.length, 20);
    header.writeBigUInt64LE(inode, 24);
    header.writeBigUInt64LE(BigInt(offset), 32);
    // One write: another process appends as well.
    const written = writeSync(this.#fd, Buffer.concat([header, from, to, data]));
    if (written !== size) throw new Error(`${this.path}: wrote ${written} of ${size} bytes`);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
