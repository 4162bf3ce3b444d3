import type { HttpEvent } from './http-event.ts';

/** Events that are sent together at first. Answers take them out one by one. */
export interface Batch {
  /** Neither delivered nor a dead letter yet. A delivery replaces the list as answers come. */
  pending: readonly HttpEvent[];
}
