import { type ArchiveComparison, type CompareOptions, compareArchive } from '../test/helpers/archive-reader.ts';
import type { LineMultiset } from '../test/helpers/line-multiset.ts';

const MAX_EXAMPLES = 10;

export interface NamespaceTotals {
  readonly namespace: string;
  readonly events: number;
  readonly bytes: number;
  readonly files: number;
  readonly storedBytes: number;
}

export interface Verdict extends ArchiveComparison {
  /** Events that stand in a file of another namespace or hour. */
  readonly misplaced: number;
  readonly misplacedExamples: readonly string[];
  /** The busiest first. */
  readonly namespaces: readonly NamespaceTotals[];
}

/**
 * Reads the whole archive back and sets it against the ledger; also works out anew, from each archived event itself, in
 * which file it belongs.
 */
export async function verify(
  archive: string,
  expected: LineMultiset,
  onFile: NonNullable<CompareOptions['onFile']>,
): Promise<Verdict> {
  let misplaced = 0;
  const misplacedExamples: string[] = [];
  const comparison = await compareArchive(archive, expected, {
    onFile,
    onLine: (file, line) => {
      const wanted = fileOf(line.bytes);
      if (wanted === file) return;
      misplaced++;
      if (misplacedExamples.length < MAX_EXAMPLES)
        misplacedExamples.push(`${file}:${line.number} belongs in ${wanted}`);
    },
  });
  return { ...comparison, misplaced, misplacedExamples, namespaces: byNamespace(comparison) };
}

interface RoutedEvent {
  readonly objectRef?: { readonly namespace?: string };
  readonly stageTimestamp: string;
}

function fileOf(line: Buffer): string {
  let event: RoutedEvent;
  try {
    event = JSON.parse(line.toString()) as RoutedEvent;
  } catch {
    return 'no file of this demo: it is no JSON';
  }
  const namespace = event.objectRef?.namespace ?? '_none';
  const hour = event.stageTimestamp.slice(0, 13).replaceAll(/[-T]/g, '');
  return `audit-${namespace}.${hour}.log.gz`;
}

function byNamespace(comparison: ArchiveComparison): NamespaceTotals[] {
  const totals = new Map<string, NamespaceTotals>();
  for (const { file, events, bytes, storedBytes } of comparison.files) {
    const namespace = /^audit-(.+?)\.\d{10}\./.exec(file)?.[1] ?? file;
    const sum = totals.get(namespace) ?? { namespace, events: 0, bytes: 0, files: 0, storedBytes: 0 };
    totals.set(namespace, {
      namespace,
      events: sum.events + events,
      bytes: sum.bytes + bytes,
      files: sum.files + 1,
      storedBytes: sum.storedBytes + storedBytes,
    });
  }
  return [...totals.values()].sort((a, b) => b.events - a.events);
}
