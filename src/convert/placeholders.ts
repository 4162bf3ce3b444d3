/** Which parts of auditail's tag are the tag that a placeholder speaks of. Negative ends count from the end. */
export interface TagView {
  readonly from: number;
  readonly to: number;
}

export const WHOLE_TAG: TagView = { from: 0, to: -1 };

export interface PlaceholderOptions {
  readonly view: TagView;
  /** What `${hostname}` becomes; undefined where there is nothing for it. */
  readonly host: string | undefined;
  /** What `${time}` becomes. */
  readonly time?: string;
  /** Whether `$1` to `$9` are captures. */
  readonly captures?: boolean;
  readonly complain: (message: string) => void;
}

const PLACEHOLDER =
  /\$\{env:\w+\}|\$\{([^{}]*)\}|__(TAG|HOSTNAME|ESCAPED_TAG|TAG_PARTS\[[^\]]*\])__|\$TAG(?:\[(-?\d+)\])?|\$(\d+)|\$/g;

/**
 * Text with the placeholders of fluentd and its plugins, or of Fluent Bit, as one of auditail's templates. What has no
 * counterpart is complained of, and an underscore stands for it.
 */
export function translatePlaceholders(text: string, options: PlaceholderOptions): string {
  return text.replaceAll(PLACEHOLDER, (found, braced?: string, under?: string, bitPart?: string, capture?: string) => {
    if (found.startsWith('${env:')) return found;
    if (braced !== undefined) return named(braced.trim(), options) ?? unknown(found, options);
    if (under !== undefined) return named(under.toLowerCase(), options) ?? unknown(found, options);
    if (found.startsWith('$TAG'))
      return bitPart === undefined ? tagForm(options.view) : partForm(options.view, Number(bitPart));
    if (capture === undefined || options.captures !== true) return found.replace('$', '$$$$');
    return capture.length === 1 && capture !== '0' ? found : unknown(found, options);
  });
}

function named(name: string, { view, host, time }: PlaceholderOptions): string | undefined {
  if (name === 'tag') return tagForm(view);
  if (name === 'hostname') return host;
  if (name === 'time') return time;
  const parts = /^(tag|tag_parts|tag_prefix|tag_suffix)\[(-?\d+)(?:\.\.(\.?)(-?\d+))?\]$/.exec(name);
  if (parts === null) return undefined;
  const from = Number(parts[2]);
  if (parts[1] === 'tag_prefix') return rangeForm(view, 0, from);
  if (parts[1] === 'tag_suffix') return rangeForm(view, from, -1);
  if (parts[4] === undefined) return partForm(view, from);
  return rangeForm(view, from, Number(parts[4]) - (parts[3] === '.' ? 1 : 0));
}

function unknown(found: string, { complain }: PlaceholderOptions): string {
  complain(`${found} has no counterpart here, and '_' stands in its place`);
  return '_';
}

function tagForm({ from, to }: TagView): string {
  if (to !== -1) return `\${tag[${from}..${to}]}`;
  return from === 0 ? '${tag}' : `\${tag[${from}..]}`;
}

function partForm(view: TagView, index: number): string {
  return `\${tag[${absolute(view, index)}]}`;
}

function rangeForm(view: TagView, from: number, to: number): string {
  const first = absolute(view, from);
  const last = absolute(view, to);
  return last === -1 ? tagForm({ from: first, to: -1 }) : `\${tag[${first}..${last}]}`;
}

function absolute({ from, to }: TagView, index: number): number {
  return index >= 0 ? from + index : to === -1 ? index : to + 1 + index;
}
