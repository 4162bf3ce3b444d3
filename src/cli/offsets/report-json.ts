import type { SourceOffsets } from './source-offsets.ts';

/** For programs; keys stay as they are. Times are RFC 3339 in UTC; null is unknown. */
export function offsetsJson(state: string, sources: readonly SourceOffsets[]): Record<string, unknown> {
  return {
    state,
    sources: sources.map(({ name, streams, gaps }) => ({
      name,
      streams: streams.map(({ path, segments, omitted }) => ({
        path,
        segments: segments.map((segment) => ({
          path: segment.path,
          state: segment.state,
          size: segment.size ?? null,
          first_event: isoTime(segment.firstTime),
          last_event: isoTime(segment.lastTime),
          sinks: segment.sinks,
        })),
        finished_omitted: omitted,
      })),
      gaps: gaps.map((gap) => ({
        stream: gap.stream,
        path: gap.path,
        from_offset: gap.startOffset,
        to_offset: gap.endOffset ?? null,
        after_event: isoTime(gap.beforeTime),
        before_event: isoTime(gap.afterTime),
        reason: gap.reason,
        found_at: isoTime(gap.foundAt),
      })),
    })),
  };
}

function isoTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}
