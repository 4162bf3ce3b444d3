import { AuditailError } from '../errors.ts';

/** A piece of a template. `at` is its position in the template, counted from 0. */
export type TemplatePiece =
  | { readonly kind: 'text'; readonly at: number; readonly text: string }
  | TagPiece
  | { readonly kind: 'capture'; readonly at: number; readonly group: number }
  | { readonly kind: 'name'; readonly at: number; readonly name: string };

/** `${tag…}`: the parts `from` to `to`, both included; negative numbers count from the end. */
export interface TagPiece {
  readonly kind: 'tag';
  readonly at: number;
  /** As it was written. */
  readonly form: string;
  readonly from: number;
  readonly to: number;
}

const FORMS = '${tag}, ${tag[n]}, ${tag[n..]} and ${tag[n..m]} (n and m may be negative)';

/** A parsed template; rendering only joins strings. */
export class TagTemplate {
  readonly pieces: readonly TemplatePiece[];
  /** The highest `$n` in it, 0 without captures. */
  readonly maxCapture: number;

  constructor(pieces: readonly TemplatePiece[]) {
    this.pieces = pieces;
    this.maxCapture = Math.max(0, ...pieces.map((piece) => (piece.kind === 'capture' ? piece.group : 0)));
  }

  /** `captures[0]` is `$1`. What the tag, the captures or `values` do not have is empty. */
  render(tag: string, captures: readonly string[] = [], values: Readonly<Record<string, string>> = {}): string {
    let result = '';
    for (const piece of this.pieces) {
      if (piece.kind === 'text') result += piece.text;
      else if (piece.kind === 'tag') result += expandTag(piece, tag);
      else if (piece.kind === 'capture') result += captures[piece.group - 1] ?? '';
      else result += values[piece.name] ?? '';
    }
    return result;
  }
}

/**
 * Parses text with `${tag}`, `${tag[n]}`, `${tag[n..]}`, `${tag[n..m]}` and, with `captures`, `$1` to `$9`; `$$` is a
 * literal `$`. With `names`, `${name}` for each of them too. Throws `TEMPLATE` with the position of anything else that
 * follows a `$`.
 */
export function parseTagTemplate(
  template: string,
  options: { captures: boolean; names?: readonly string[] },
): TagTemplate {
  const pieces: TemplatePiece[] = [];
  const complain = (at: number, reason: string, hint: string): AuditailError =>
    new AuditailError('TEMPLATE', `template '${template}', character ${at + 1}: ${reason}`, { hint });
  const names = options.names ?? [];
  const forms = [...names.map((name) => `\${${name}}`), FORMS].join(', ');
  const allowed = options.captures
    ? `Allowed are ${forms}, $1 to $9, and $$ for a $`
    : `Allowed are ${forms}, $$ for a $`;

  for (let at = 0; at < template.length; ) {
    const dollar = template.indexOf('$', at);
    if (dollar !== at) {
      const end = dollar < 0 ? template.length : dollar;
      pieces.push({ kind: 'text', at, text: template.slice(at, end) });
      at = end;
      continue;
    }
    const next = template[at + 1] ?? '';
    if (next === '$') {
      pieces.push({ kind: 'text', at, text: '$' });
      at += 2;
    } else if (next === '{') {
      const close = template.indexOf('}', at);
      if (close < 0) throw complain(at, 'the brace is never closed', allowed);
      const form = template.slice(at, close + 1);
      const name = form.slice(2, -1);
      const piece = names.includes(name) ? ({ kind: 'name', at, name } as const) : parseForm(form, at);
      if (piece === undefined) throw complain(at, `'${form}' is not known`, allowed);
      pieces.push(piece);
      at = close + 1;
    } else if (next >= '0' && next <= '9') {
      if (!options.captures) throw complain(at, `there is no capture for '$${next}' here`, allowed);
      if (next === '0') throw complain(at, "captures begin at '$1'", allowed);
      const after = template[at + 2] ?? '';
      // fluentd reads $10 as the tenth capture; taking it for $1 and a 0 would be silently wrong.
      if (after >= '0' && after <= '9') throw complain(at, "captures end at '$9'", allowed);
      pieces.push({ kind: 'capture', at, group: Number(next) });
      at += 2;
    } else {
      throw complain(at, "a '$' that begins nothing", allowed);
    }
  }
  return new TagTemplate(pieces);
}

/** The piece's parts of `tag`, joined by dots; empty where the tag has none of them. */
export function expandTag(piece: TagPiece, tag: string): string {
  if (piece.from === 0 && piece.to === -1) return tag;
  const parts = tag.split('.');
  const from = piece.from < 0 ? parts.length + piece.from : piece.from;
  const to = piece.to < 0 ? parts.length + piece.to : piece.to;
  return from < 0 || to < from ? '' : parts.slice(from, to + 1).join('.');
}

function parseForm(form: string, at: number): TagPiece | undefined {
  const match = /^\$\{tag(?:\[(-?\d{1,4})(\.\.(-?\d{1,4})?)?\])?\}$/.exec(form);
  if (match === null) return undefined;
  const from = Number(match[1] ?? 0);
  if (match[1] !== undefined && match[2] === undefined) return { kind: 'tag', at, form, from, to: from };
  return { kind: 'tag', at, form, from, to: Number(match[3] ?? -1) };
}
