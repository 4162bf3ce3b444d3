import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveFiles, gzipTest, readLines, zstdTest } from '../../test/helpers/archive-reader.ts';
import { DamagedGzip } from '../../test/helpers/gzip-reader.ts';
import { hashLine } from '../../test/helpers/line-multiset.ts';
import { DamagedZstd } from '../../test/helpers/zstd-reader.ts';
import type { Theft } from '../archive-thief.ts';
import type { Line, LogModel } from '../log-model.ts';
import type { Violations } from './violation.ts';

const SHOWN_CHARACTERS = 160;
const FILES_AT_ONCE = 200;

export interface ArchiveEvidence {
  readonly model: LogModel;
  readonly archive: string;
  readonly thefts: readonly Theft[];
  /** Contents of files that are not the agent's, by path in the archive. */
  readonly foreign: ReadonlyMap<string, Buffer>;
}

/** What the archive holds: how often each line is in it, and in what somebody took away. */
export interface ArchiveLines {
  readonly times: ReadonlyMap<Line, number>;
  /** In a file that was taken away. */
  readonly taken: ReadonlySet<Line>;
  /** The same, and committed by then: never to be archived once more. */
  readonly committed: ReadonlySet<Line>;
}

/** Reads the whole archive back: files are whole, lines are where they belong, in order, and nothing else is there. */
export async function readArchive(evidence: ArchiveEvidence, violations: Violations): Promise<ArchiveLines> {
  const { model, archive, thefts, foreign } = evidence;
  const times = new Map<Line, number>();
  const torn = new TornEnds(model.halfGzipped);
  const own = (await archiveFiles(archive)).filter((name) => !foreign.has(name));
  for (const name of own) {
    /** The last line of each part of the log: lines of one part keep their order. */
    const last = new Map<object, Line>();
    await forEachLine(join(archive, name), violations, (bytes, number) => {
      const line = model.byHash.get(hashLine(bytes).toString('hex'));
      const where = `${name}:${number}`;
      if (line === undefined) {
        if (name.startsWith('audit-_unparsed.') && torn.isEnd(bytes)) return;
        violations.add('foreign lines', `${where}: ${bytes.toString('utf8', 0, SHOWN_CHARACTERS)}`);
        return;
      }
      times.set(line, (times.get(line) ?? 0) + 1);
      if (!name.startsWith(`audit-${line.tag}.`)) violations.add('wrong file', `${where}: belongs to ${line.tag}`);
      const part = line.places[0]!.part;
      const before = last.get(part);
      if (before !== undefined && before.id > line.id) {
        violations.add('order', `${where}: line ${line.id} of part ${part.id} stands behind line ${before.id}`);
      }
      last.set(part, line);
    });
  }
  await testFiles(
    own.map((name) => join(archive, name)),
    violations,
  );
  for (const [name, content] of foreign) checkForeign(join(archive, name), content, violations);
  return {
    times,
    taken: await linesOf(
      model,
      thefts.map(({ taken }) => taken),
    ),
    committed: await linesOf(
      model,
      thefts.flatMap(({ committed }) => committed ?? []),
    ),
  };
}

/** A gzip that was left unfinished, and stayed alone, is read as far as it inflates: mostly to within a line. */
class TornEnds {
  readonly #contents: Set<Buffer>;

  constructor(contents: readonly Buffer[]) {
    this.#contents = new Set(contents);
  }

  /** Whether it is the beginning of a line of one of them. Each has one such end. */
  isEnd(bytes: Buffer): boolean {
    for (const content of this.#contents) {
      const at = content.indexOf(bytes);
      if (at === -1 || (at > 0 && content[at - 1] !== 10)) continue;
      this.#contents.delete(content);
      return true;
    }
    return false;
  }
}

async function forEachLine(
  path: string,
  violations: Violations,
  take: (bytes: Buffer, number: number) => void,
): Promise<void> {
  try {
    for await (const { bytes, number, complete } of readLines(path)) {
      if (!complete) violations.add('whole lines', `${path}:${number}: the last line has no newline`);
      take(bytes, number);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    violations.add('whole files', error.message);
  }
}

/** With other people's tools too. */
async function testFiles(paths: readonly string[], violations: Violations): Promise<void> {
  for (const [ending, test] of [
    ['.gz', gzipTest],
    ['.zst', zstdTest],
  ] as const) {
    const files = paths.filter((path) => path.endsWith(ending));
    for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
      const verdict = await test(...files.slice(at, at + FILES_AT_ONCE));
      if (typeof verdict === 'object') violations.add('whole files', verdict.invalid);
    }
  }
}

/** A file that was taken away may end in the middle of what was being written. */
async function linesOf(model: LogModel, paths: readonly string[]): Promise<Set<Line>> {
  const lines = new Set<Line>();
  for (const path of paths) {
    try {
      for await (const { bytes } of readLines(path)) {
        const line = model.byHash.get(hashLine(bytes).toString('hex'));
        if (line !== undefined) lines.add(line);
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return lines;
}

function checkForeign(path: string, content: Buffer, violations: Violations): void {
  try {
    if (!readFileSync(path).equals(content)) violations.add('files of others', `${path} was changed`);
  } catch (error) {
    violations.add('files of others', `${path}: ${error}`);
  }
}

function isDamage(error: unknown): error is Error {
  return error instanceof DamagedGzip || error instanceof DamagedZstd;
}
