/**
 * The grammars of other areas, as the configuration needs them: each function throws an Error whose message says what is
 * wrong and where.
 */
export interface Validators {
  tagPattern(pattern: string): void;
  fieldPath(path: string): void;
  regexp(source: string): void;
  rewriteTag(template: string, options: { captures: boolean }): void;
  pathTemplate(template: string, timezone: string): PathShape;
}

/** What a path template can render. */
export interface PathShape {
  /** Longest directory that all rendered paths are in. */
  readonly directory: string;
  /** Matches every path that can be rendered. */
  readonly glob: string;
}
