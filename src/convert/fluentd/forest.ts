import type { TagView } from '../placeholders.ts';
import { Section } from '../section.ts';
import { tagMatcher } from './tag-matcher.ts';

const CREATED = new WeakMap<Section, Map<Section | undefined, Section>>();

/**
 * The output that fluent-plugin-forest makes for a tag: the template's parameters, then those of the first `<case>` that
 * matches. The same section for the same case.
 */
export function forestOutput(forest: Section, tag: string): Section {
  const bare = withoutPrefix(tag, forest.text('remove_prefix'));
  const chosen = forest.all('case').find(({ arg }) => tagMatcher(arg)(bare));
  const created = CREATED.get(forest) ?? new Map<Section | undefined, Section>();
  CREATED.set(forest, created);
  let output = created.get(chosen);
  if (output === undefined) {
    const template = forest.find('template');
    output = new Section('match', forest.arg, (chosen ?? template ?? forest).place);
    output.params.push({ key: '@type', value: forest.text('subtype') ?? '', place: forest.place });
    for (const part of [template, chosen]) {
      output.params.push(...(part?.params ?? []));
      output.sections.push(...(part?.sections ?? []));
    }
    created.set(chosen, output);
  }
  return output;
}

export function withoutPrefix(tag: string, prefix: string | undefined): string {
  if (prefix === undefined) return tag;
  if (tag === prefix) return '';
  return tag.startsWith(`${prefix}.`) ? tag.slice(prefix.length + 1) : tag;
}

/** What `${tag}` means in the template of a forest: the prefix is taken off. */
export function forestTagView(owner: Section, view: TagView): TagView {
  const prefix = owner.type === 'forest' ? owner.text('remove_prefix') : undefined;
  return prefix === undefined ? view : { ...view, from: view.from + prefix.split('.').length };
}
