/** Where a line comes from. The object is reused after the call that it is given to. */
export interface LineOrigin {
  /** Name of the source. */
  readonly source: string;
  /** Id of the segment. */
  readonly segment: number;
  /** The file's name now. */
  readonly path: string;
  /** Where the line begins in the uncompressed content. */
  readonly offset: number;
  /** Why the line is no event; undefined for an event. */
  readonly unparsed: string | undefined;
}
