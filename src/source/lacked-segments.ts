import type { Gap } from '../checkpoint/gap-records.ts';
import type { SegmentRecords } from '../checkpoint/segment-records.ts';
import { lostFor } from './gap-range.ts';
import type { Known, KnownSegments } from './known-segments.ts';
import type { SinkPace, SinkPlace } from './sink-place.ts';

interface Lack {
  readonly known: Known;
  readonly sink: string;
  readonly pace: SinkPace;
  readonly offset: number;
}

interface LackedSegmentsDeps {
  readonly source: string;
  readonly known: KnownSegments;
  readonly records: SegmentRecords;
  readonly sinks: readonly SinkPlace[];
  readonly elapsed: () => number;
}

/**
 * Finished segments of which a sink at its own pace still lacked the end when the agent started. While their files
 * exist they are read once more for it. One whose file is gone is a gap for this sink alone.
 */
export class LackedSegments {
  readonly #deps: LackedSegmentsDeps;
  #lacks: readonly Lack[];

  constructor(deps: LackedSegmentsDeps) {
    this.#deps = deps;
    this.#lacks = deps.sinks.flatMap(({ name: sink, pace }) =>
      pace === undefined
        ? []
        : deps.records.behind(deps.source, sink).flatMap(({ segment, offset: taken }) => {
            const known = deps.known.get(segment);
            // What the sink was handed before a reload it has in memory.
            const offset = pace.ledger.handedTo(segment) ?? taken;
            return known === undefined || offset >= known.row.sizeSeen ? [] : [{ known, sink, pace, offset }];
          }),
    );
  }

  /** Tells those that have been missing for `patienceMs`, and gives the number of segments that are still waited for. */
  resolve(found: ReadonlySet<unknown>, patienceMs: number, tell: (known: Known, gap: Gap) => void): number {
    const { elapsed } = this.#deps;
    const missing = this.#lacks.filter(
      ({ known }) => known.segment === undefined && !found.has(known) && !found.has(known.head),
    );
    for (const { known } of missing) known.missingSince ??= elapsed();
    const lost = missing.filter(({ known }) => elapsed() - known.missingSince! >= patienceMs);
    for (const lack of lost) this.#tell(lack, tell);
    this.#lacks = this.#lacks.filter((lack) => lack.known.segment === undefined && !lost.includes(lack));
    return missing.length - lost.length;
  }

  #tell({ known, sink, pace, offset }: Lack, tell: (known: Known, gap: Gap) => void): void {
    const lost = { name: sink, from: offset, to: known.row.sizeSeen };
    tell(known, lostFor(lost, { ...known.row, path: known.path }, { reason: 'the file was deleted', ...this.#deps }));
    pace.ledger.handed(known.id, lost.to);
    this.#deps.records.setOffset(known.id, sink, pace.ledger.takenTo(known.id)!);
  }
}
