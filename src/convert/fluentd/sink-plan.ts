import type { TagView } from '../placeholders.ts';
import { WHOLE_TAG } from '../placeholders.ts';
import type { Section } from '../section.ts';
import type { Delivery } from './explore.ts';
import { forestTagView } from './forest.ts';
import type { Outcome } from './retagging.ts';

/** What comes to one output. */
export interface SinkPlan {
  readonly output: Section;
  readonly owner: Section;
  /** Sample tags, as events have them here. */
  readonly tags: Set<string>;
  readonly deliveries: Delivery[];
  readonly views: Map<string, TagView | undefined>;
}

/** One plan for each output that anything comes to. */
export function planSinks(outcomes: readonly Outcome[]): SinkPlan[] {
  const plans = new Map<Section, SinkPlan>();
  for (const { tag, deliveries } of outcomes) {
    for (const delivery of deliveries) {
      const { output, owner } = delivery;
      const plan: SinkPlan = plans.get(output) ?? { output, owner, tags: new Set(), deliveries: [], views: new Map() };
      plans.set(output, plan);
      plan.tags.add(tag);
      plan.deliveries.push(delivery);
      const view = viewOf(tag, delivery.tag);
      const seen = view === undefined ? undefined : forestTagView(owner, view);
      plan.views.set(JSON.stringify(seen ?? null), seen);
    }
  }
  return [...plans.values()].sort((a, b) => a.output.place.line - b.output.place.line);
}

/** How the tag that an output saw stands in the event's tag here; undefined when it does not. */
function viewOf(tag: string, seen: string): TagView | undefined {
  if (tag === seen) return WHOLE_TAG;
  return tag.startsWith(`${seen}.`) ? { from: 0, to: seen.split('.').length - 1 } : undefined;
}
