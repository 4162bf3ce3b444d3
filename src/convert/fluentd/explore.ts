import type { Section } from '../section.ts';
import { forestOutput, withoutPrefix } from './forest.ts';
import type { Element, Pipeline, Scope } from './pipeline.ts';
import { tagMatcher } from './tag-matcher.ts';

/** An event with some tag comes to an output. */
export interface Delivery {
  /** The section with the output's parameters; of a forest one of those that it makes. */
  readonly output: Section;
  /** The section of the configuration that it comes from: a forest, or the output itself. */
  readonly owner: Section;
  readonly element: Element;
  /** `<match>` sections of the same scope that stand before it. */
  readonly earlier: readonly Element[];
  /** The event's tag there. */
  readonly tag: string;
  /** What it passed, in order. */
  readonly filters: readonly Element[];
}

/** An event comes to an output that gives it another tag. */
export interface Retagging {
  readonly section: Section;
  readonly tag: string;
  /** Where events go on that it has given a tag. */
  readonly scope: Scope;
  readonly filters: readonly Element[];
}

export interface Passage {
  readonly deliveries: Delivery[];
  readonly retaggings: Retagging[];
  /** Plugins that were passed on the way and do not hold events: copy, relabel, route, null. */
  readonly junctions: Set<Section>;
}

/** The outputs that an event with this tag comes to: the first `<match>` that matches takes it. */
export function explore(pipeline: Pipeline, scope: Scope, tag: string, passed: readonly Element[] = []): Passage {
  const passage: Passage = { deliveries: [], retaggings: [], junctions: new Set() };
  enter({ pipeline, passage, depth: 0 }, scope, tag, passed);
  return passage;
}

interface Walk {
  readonly pipeline: Pipeline;
  readonly passage: Passage;
  readonly depth: number;
}

/** Labels that lead to each other without end are left here. */
const MAX_DEPTH = 32;

function enter(walk: Walk, scope: Scope, tag: string, passed: readonly Element[]): void {
  if (walk.depth > MAX_DEPTH) return;
  const filters = [...passed];
  const earlier: Element[] = [];
  for (const element of scope) {
    const isTaken = element.matches(tag);
    if (element.isFilter && isTaken) filters.push(element);
    if (element.isFilter) continue;
    if (isTaken) {
      dispatch({ ...walk, depth: walk.depth + 1 }, element.section, { scope, element, earlier, tag, filters });
      return;
    }
    earlier.push(element);
  }
}

interface Arrival {
  readonly scope: Scope;
  readonly element: Element;
  readonly earlier: readonly Element[];
  readonly tag: string;
  readonly filters: readonly Element[];
}

function dispatch(walk: Walk, section: Section, arrival: Arrival): void {
  const { passage, pipeline } = walk;
  const { tag, filters, element, earlier } = arrival;
  const labelled = () => labelOf(pipeline, section) ?? arrival.scope;
  switch (section.type) {
    case 'copy':
      passage.junctions.add(section);
      for (const store of section.all('store')) dispatch(walk, store, arrival);
      return;
    case 'relabel':
      passage.junctions.add(section);
      enter(walk, labelOf(pipeline, section) ?? [], tag, filters);
      return;
    case 'route':
      passage.junctions.add(section);
      route(walk, section, arrival);
      return;
    case 'null':
      passage.junctions.add(section);
      return;
    case 'rewrite_tag_filter':
      passage.retaggings.push({ section, tag, scope: labelled(), filters });
      return;
    case 'forest':
      passage.deliveries.push({ output: forestOutput(section, tag), owner: section, element, earlier, tag, filters });
      return;
    default:
      passage.deliveries.push({ output: section, owner: section, element, earlier, tag, filters });
  }
}

/** fluent-plugin-route: the first `<route>` that matches, and those with `copy` before it. */
function route(walk: Walk, section: Section, { scope, tag, filters }: Arrival): void {
  const added = section.text('add_tag_prefix');
  const bare = withoutPrefix(tag, section.text('remove_tag_prefix'));
  const routed = added === undefined ? bare : `${added}.${bare}`;
  for (const one of section.all('route')) {
    if (!tagMatcher(one.arg)(tag)) continue;
    const target = labelOf(walk.pipeline, one);
    // Without a label it is emitted anew; with its old tag it would come back here for ever.
    if (target !== undefined || routed !== tag) enter(walk, target ?? scope, routed, filters);
    if (one.param('copy') === undefined) return;
  }
}

function labelOf(pipeline: Pipeline, section: Section): Scope | undefined {
  const label = section.text('@label');
  return label === undefined ? undefined : label === '@ROOT' ? pipeline.root : (pipeline.labels.get(label) ?? []);
}
