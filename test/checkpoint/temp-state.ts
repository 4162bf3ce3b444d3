import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Database, openDatabase } from '../../src/checkpoint/database.ts';

/** A state directory that does not exist yet; its parent is removed after the test. */
export function tempState(t: TestContext): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-state-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return path.join(root, 'state');
}

export function tempDatabase(t: TestContext): Database {
  const db = openDatabase(tempState(t), 'process');
  t.after(() => db.close());
  return db;
}
