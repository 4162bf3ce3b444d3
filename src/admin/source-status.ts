import type { SourceConfig } from '../config/types.ts';
import { type Discovery, discover } from '../source/discovery.ts';
import type { Segment } from '../source/segment.ts';
import type { SinkPlace } from '../source/sink-place.ts';
import type { Source } from '../source/source.ts';
import type { LagStatus, SegmentStatus, SourceStatus } from './agent-status.ts';
import { isoTime } from './iso-time.ts';
import { Refreshed } from './refreshed.ts';
import { secondsUntilDeleted } from './rotation-window.ts';
import { endOf, lagBytes, takenOffset, timeAt } from './source-lag.ts';

/** Who asks often gets the same answer: a directory with many parts costs a stat for each. */
const LOOK_MAX_AGE_MS = 5_000;
const LOOK_WAIT_MS = 1_000;

/** A segment with what each sink has taken of it, by the sink's index. */
interface Taken {
  readonly stream: string;
  readonly segment: Segment;
  readonly offsets: readonly number[];
  /** Its file is deleted, or where the source does not look: it is read as long as it is held open. */
  readonly isGone: boolean;
}

/** Looks at one source from outside, between two steps of the agent's loop or in the middle of one. */
export class SourceLook {
  readonly #source: Source;
  readonly #sinks: readonly SinkPlace[];
  readonly #now: () => number;
  readonly #discovery: Refreshed<Discovery>;

  constructor(source: Source, sinks: readonly SinkPlace[], now: () => number) {
    this.#source = source;
    this.#sinks = sinks;
    this.#now = now;
    const { path, exclude }: SourceConfig = source.config;
    this.#discovery = new Refreshed(() => discover({ path, exclude }), {
      maxAgeMs: LOOK_MAX_AGE_MS,
      waitMs: LOOK_WAIT_MS,
    });
  }

  /** Why nothing, or not everything, of the source can be read now. */
  async trouble(): Promise<string | undefined> {
    const { config, troubles } = this.#source;
    const [unreadable] = troubles.unreadable;
    if (unreadable !== undefined) return `source ${config.name}: cannot read ${unreadable}`;
    const discovery = await this.#discovery.get();
    return discovery?.streams.length === 0 ? `source ${config.name}: no log found in ${config.path}` : undefined;
  }

  /** Names of sinks at their own pace that have yet to be handed what the others were. */
  sinksBehind(): string[] {
    const segments = this.#source.segments();
    const isBehind = ({ pace }: SinkPlace) =>
      pace !== undefined && segments.some(({ id, position }) => (pace.ledger.handedTo(id) ?? position) < position);
    return this.#sinks.filter(isBehind).map(({ name }) => name);
  }

  async status(): Promise<SourceStatus> {
    const discovery = await this.#discovery.get();
    // From here on everything is one moment.
    const { config, troubles } = this.#source;
    const taken = this.#taken(discovery);
    const open = taken.filter(({ segment }) => segment.file !== undefined);
    const unread = (some: readonly Taken[]) => some.reduce((sum, { segment }) => sum + segment.unread, 0);
    return {
      name: config.name,
      path: config.path,
      files: discovery?.streams.reduce((sum, { files }) => sum + files.length, 0) ?? null,
      unreadable: [...troubles.unreadable],
      window_seconds: this.#window(taken, discovery) ?? null,
      unread_bytes: {
        live: unread(open.filter(({ segment }) => segment.live)),
        rotated: unread(open.filter(({ segment }) => !segment.live)),
      },
      held_deleted_bytes: unread(open.filter(({ isGone }) => isGone)),
      open_files: open.length,
      lag: this.#sinks.map(({ name }, index) => this.#lag(name, index, taken)),
      streams: [...this.#source.known.streams.keys()].map((path) => ({
        path,
        segments: taken.filter(({ stream }) => stream === path).map((one) => this.#segment(one)),
      })),
    };
  }

  #taken(discovery: Discovery | undefined): Taken[] {
    const files = discovery?.streams.flatMap((stream) => stream.files);
    const places = files && new Set(files.map(({ device, inode }) => `${device}:${inode}`));
    return [...this.#source.known.streams.values()].flatMap(({ path: stream, segments }) =>
      segments.map((segment) => ({
        stream,
        segment,
        offsets: this.#sinks.map((sink, index) => takenOffset(segment, sink, index)),
        // A new live file may be younger than the look.
        isGone: segment.links === 0 || (!segment.live && places?.has(`${segment.device}:${segment.inode}`) === false),
      })),
    );
  }

  #segment({ segment, offsets, isGone }: Taken): SegmentStatus {
    const { path, live, file, position, firstTime, lastTime } = segment;
    return {
      path,
      state: isGone ? 'deleted' : live ? 'live' : 'rotated',
      gzip: file?.gzip ?? false,
      size: endOf(segment),
      read: position,
      first_event: isoTime(firstTime),
      last_event: isoTime(lastTime),
      sinks: this.#sinks.map(({ name: sink }, index) => ({
        sink,
        offset: offsets[index]!,
        lag: lagBytes(segment, offsets[index]!),
      })),
    };
  }

  #lag(sink: string, index: number, taken: readonly Taken[]): LagStatus {
    const lags = taken.map(({ segment, offsets }) => lagBytes(segment, offsets[index]!));
    const waiting = taken.filter(({ segment, offsets }) => this.#hasWholeLine(segment, offsets[index]!));
    const times = waiting.flatMap(({ segment, offsets }) => timeAt(segment, offsets[index]!) ?? []);
    const ages = times.map((time) => Math.max(0, this.#now() - time) / 1000);
    return { sink, bytes: lags.reduce((sum, lag) => sum + lag, 0), seconds: Math.max(0, ...ages) };
  }

  /** What stands behind the offset is more than the start of a line that is still being written. */
  #hasWholeLine(segment: Segment, offset: number): boolean {
    if (offset < segment.position) return true;
    return lagBytes(segment, offset) > 0 && !this.#source.hasEnded(segment);
  }

  /** The least over the streams: of the oldest file that has something unread, or of the live one. */
  #window(taken: readonly Taken[], discovery: Discovery | undefined): number | undefined {
    const windows = (discovery?.streams ?? []).flatMap(({ path, files }) => {
      const parts = files.filter(({ live }) => !live);
      const lacking = taken.filter(
        ({ stream, segment, offsets }) =>
          stream === path && offsets.some((offset) => this.#hasWholeLine(segment, offset)),
      );
      // It is read on as long as the agent holds it open, and lost when that ends.
      if (lacking.some(({ isGone }) => isGone)) return 0;
      const of = lacking.length > 0 ? lacking.map(({ segment }) => segment.path) : [path];
      return of.flatMap((file) => secondsUntilDeleted(parts, file, this.#now()) ?? []);
    });
    return windows.length === 0 ? undefined : Math.min(...windows);
  }
}
