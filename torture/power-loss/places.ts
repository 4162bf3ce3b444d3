import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** How far each sink has durably taken each file of the log, by {@link placeKey}. */
export type Places = ReadonlyMap<string, number>;

export function placeKey(sink: string, inode: bigint): string {
  return `${sink} ${inode}`;
}

/** Asks the state of a running agent. */
export function readPlaces(state: string): Places {
  const file = join(state, 'state.sqlite');
  // Looking at a database without one would make one, which the record would not know.
  if (!existsSync(`${file}-wal`)) return new Map();
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    return query(db);
  } catch (error) {
    // The agent has not made its tables yet.
    if (isWithoutTables(error)) return new Map();
    throw error;
  } finally {
    db.close();
  }
}

/** What the state that a crash left tells of the log. */
export interface StateOfCrash {
  readonly places: Places;
  /** The first offset of each file, by inode, from which on it can be told whether the file is what was read. */
  readonly anchored: ReadonlyMap<bigint, number>;
  /** How long each file was when the agent looked last. */
  readonly seen: ReadonlyMap<bigint, number>;
}

/** Asks a copy: looking at a database after a crash repairs it. */
export function readStateOfCrash(state: string, near: string): StateOfCrash {
  const copy = mkdtempSync(join(near, 'state-'));
  try {
    for (const name of ['state.sqlite', 'state.sqlite-wal', 'state.sqlite-journal']) {
      if (existsSync(join(state, name))) copyFileSync(join(state, name), join(copy, name));
    }
    return readCopy(join(copy, 'state.sqlite'));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function readCopy(file: string): StateOfCrash {
  const nothing = { places: new Map(), anchored: new Map(), seen: new Map() };
  if (!existsSync(file)) return nothing;
  const db = new DatabaseSync(file);
  try {
    const anchors = db.prepare(
      'SELECT inode, min(offset) AS first FROM anchors JOIN segments ON segments.id = segment GROUP BY segment',
    );
    const anchored = new Map(anchors.all().map(({ inode, first }) => [BigInt(String(inode)), Number(first)]));
    const segments = db.prepare('SELECT inode, size_seen AS size FROM segments').all();
    const seen = new Map(segments.map(({ inode, size }) => [BigInt(String(inode)), Number(size)]));
    return { places: query(db), anchored, seen };
  } catch (error) {
    if (isWithoutTables(error)) return nothing;
    throw error;
  } finally {
    db.close();
  }
}

function isWithoutTables(error: unknown): boolean {
  return error instanceof Error && /no such table/.test(error.message);
}

function query(db: DatabaseSync): Places {
  const rows = db.prepare('SELECT sink, inode, offset FROM offsets JOIN segments ON segments.id = segment').all();
  return new Map(rows.map((row) => [placeKey(String(row.sink), BigInt(String(row.inode))), Number(row.offset)]));
}
