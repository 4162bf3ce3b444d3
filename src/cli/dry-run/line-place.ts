/** Where a line stands in an input. */
export interface LinePlace {
  /** The line of the input on which it begins, from 1. */
  readonly line: number;
  /** The place in the input of the byte at `index` of the line; columns are bytes, from 1. */
  of(index: number): { readonly line: number; readonly column: number };
}
