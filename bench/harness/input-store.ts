import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { backupName } from '../../test/helpers/lumberjack.ts';
import { AuditEvents } from '../audit-events.ts';

const MEAN_BYTES = 1500;
const CHUNK_BYTES = 1 << 20;

/** A log of this size spans three hours; a larger one as many more as it is larger. */
const THREE_HOURS_BYTES = 215e6;
const THREE_HOURS_MS = 3 * 3_600_000;

/** What makes the events: a change of it makes other events, so other inputs. */
const GENERATOR = ['audit-events', 'audit-bodies', 'audit-request', 'audit-vocabulary', 'random'];

/** Inputs that nobody asked for in this time are removed. */
const KEPT_MS = 7 * 24 * 3_600_000;

export interface Input {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Made-up audit logs, the same for the same parameters, kept in the temporary directory between runs.
 *
 * Reading them back is what fills the page cache, for auditail and for its references alike.
 */
export class InputStore {
  readonly #directory: string;
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
    this.#directory = join(tmpdir(), `auditail-bench-inputs-${userInfo().uid}`);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    // Where everybody may write, somebody else may have made it before.
    if (statSync(this.#directory).uid !== userInfo().uid) throw new Error(`${this.#directory} belongs to someone else`);
    this.#forgetOld();
  }

  /** One file of about so many bytes, in the page cache. */
  async file(options: { readonly bytes: number; readonly namespaces?: number }): Promise<Input> {
    const { bytes, namespaces = 30 } = options;
    const name = `audit-${bytes}-${namespaces}-${generatorHash()}.log`;
    const path = join(this.#directory, name);
    if (!existsSync(path)) {
      this.#tell(`making ${(bytes / 1e6).toFixed(0)} MB of events; namespaces: ${namespaces}`);
      const unfinished = `${path}.${process.pid}`;
      await writeEvents({ bytes, namespaces, spanMs: THREE_HOURS_MS }, () => unfinished, Number.POSITIVE_INFINITY);
      renameSync(unfinished, path);
    }
    utimesSync(path, new Date(), new Date());
    await fillPageCache(path);
    return { path, bytes: statSync(path).size };
  }

  /** A live file with the rotated parts before it, as lumberjack names them. Not kept: it may be large. */
  async rotated(directory: string, options: { readonly bytes: number; readonly partBytes: number }): Promise<Input> {
    const spanMs = (THREE_HOURS_MS * options.bytes) / THREE_HOURS_BYTES;
    const parts: string[] = [];
    const total = await writeEvents(
      { bytes: options.bytes, namespaces: 30, spanMs },
      (part) => {
        parts.push(join(directory, backupName('audit.log', Date.UTC(2026, 0, 15, 9, part + 1))));
        return parts.at(-1)!;
      },
      options.partBytes,
    );
    const path = join(directory, 'audit.log');
    renameSync(parts.at(-1)!, path);
    return { path, bytes: total };
  }

  #forgetOld(): void {
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path);
    }
  }
}

interface Wanted {
  readonly bytes: number;
  readonly namespaces: number;
  readonly spanMs: number;
}

/** Writes events into files of at most `partBytes`, whole lines each. @returns all bytes. */
async function writeEvents(wanted: Wanted, pathOf: (part: number) => string, partBytes: number): Promise<number> {
  const count = Math.ceil(wanted.bytes / (MEAN_BYTES + 1));
  const events = new AuditEvents({ count, namespaces: wanted.namespaces, spanMs: wanted.spanMs });
  let file = await open(pathOf(0), 'w', 0o600);
  let parts = 1;
  let inPart = 0;
  let total = 0;
  let text = '';
  const write = async (): Promise<void> => {
    const chunk = Buffer.from(text);
    text = '';
    if (inPart > 0 && inPart + chunk.length > partBytes) {
      await file.close();
      file = await open(pathOf(parts++), 'w', 0o600);
      inPart = 0;
    }
    await file.appendFile(chunk);
    inPart += chunk.length;
    total += chunk.length;
  };
  try {
    for (const line of events) {
      text += `${line}\n`;
      if (text.length >= CHUNK_BYTES) await write();
    }
    if (text !== '') await write();
  } finally {
    await file.close();
  }
  return total;
}

function generatorHash(): string {
  const sources = GENERATOR.map((name) => readFileSync(new URL(`../${name}.ts`, import.meta.url)));
  return hash('sha256', Buffer.concat(sources)).slice(0, 12);
}

async function fillPageCache(path: string): Promise<void> {
  const file = await open(path);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    while ((await file.read(buffer, 0, buffer.length)).bytesRead > 0);
  } finally {
    await file.close();
  }
}
