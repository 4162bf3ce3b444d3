/**
 * Tags of what has no tag of its own. Their last part begins with `_`, so that it is nobody's namespace, and it follows
 * the source's tag, so that the same sinks match.
 */

/** Lines that are no events. */
export function unparsedTag(sourceTag: string): string {
  return `${sourceTag}._unparsed`;
}

/** Lines longer than `max_line_bytes`. */
export function oversizeTag(sourceTag: string): string {
  return `${sourceTag}._oversize`;
}

const OVERFLOW = '._overflow';

/** The tag in whose file events of `tag` stand when their time slot has `max_tags` files already. */
export function overflowTag(tag: string): string {
  return `${tag.split('.', 1)[0]}${OVERFLOW}`;
}

export function isOverflowTag(tag: string): boolean {
  return tag.endsWith(OVERFLOW);
}
