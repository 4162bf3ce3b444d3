import { AuditailError } from '../errors.ts';
import { percentEncode } from './sanitize.ts';
import { expandTag, parseTagTemplate, type TagPiece } from './tag-template.ts';
import { parseTimeFields, type TimePiece } from './time-fields.ts';

/** Literal text and time fields of one name, in bytes; it leaves room for what shortening and numbering add. */
const MAX_FIXED_BYTES = 160;

/** What `${tag…}` becomes where the tag has nothing for it, so that no name begins with a dot or is empty. */
const NO_PARTS = '_';

export type PathPiece = TimePiece | TagPiece;

/**
 * Parses an absolute path with tag forms and strftime fields into the pieces of each of its names. Neighbouring literals
 * are one piece. Throws `TEMPLATE`.
 */
export function parsePathTemplate(template: string): PathPiece[][] {
  if (!template.startsWith('/')) throw broken(template, 'the path is not absolute', "Begin it with '/'");
  const names: PathPiece[][] = [];
  for (const piece of parseTagTemplate(template, { captures: false }).pieces) {
    if (piece.kind === 'tag') names.at(-1)!.push(piece);
    if (piece.kind !== 'text') continue;
    for (const part of parseTimeFields(piece.text, template, piece.at)) {
      if (part.kind === 'time') {
        names.at(-1)!.push(part);
        continue;
      }
      const [rest, ...further] = part.text.split('/');
      const current = names.at(-1);
      if (current !== undefined) addText(current, rest!);
      for (const text of further) {
        names.push([]);
        addText(names.at(-1)!, text);
      }
    }
  }
  if (names.at(-1)!.length === 0) throw broken(template, 'the path ends without a file name', 'Append one');
  const used = names.filter((pieces) => pieces.length > 0);
  for (const pieces of used) checkName(template, pieces);
  return used;
}

/**
 * What a tag form contributes to a name. Tags are sanitized where they come from values, but the source's tag and the
 * templates are the operator's: whatever they hold, no slash and no leading dot gets through.
 */
export function expandForPath(piece: TagPiece, tag: string): string {
  const parts = expandTag(piece, tag);
  if (parts === '') return NO_PARTS;
  return parts.replaceAll(/^\.|[^A-Za-z0-9_.%-]+/g, percentEncode);
}

/** The literal text that a name begins with. */
export function leadingText(pieces: readonly PathPiece[]): string {
  const first = pieces[0];
  return first?.kind === 'text' ? first.text : '';
}

function addText(pieces: PathPiece[], text: string): void {
  if (text === '') return;
  const last = pieces.at(-1);
  if (last?.kind === 'text') pieces[pieces.length - 1] = { kind: 'text', text: last.text + text };
  else pieces.push({ kind: 'text', text });
}

function checkName(template: string, pieces: readonly PathPiece[]): void {
  const only = pieces.length === 1 ? leadingText(pieces) : '';
  if (only === '.' || only === '..')
    throw broken(template, `the path has a '${only}' in it`, 'Write the path without it');
  let bytes = 0;
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      if (/[\x00-\x1f\x7f]/.test(piece.text)) throw broken(template, 'the path has a control character', 'Remove it');
      bytes += Buffer.byteLength(piece.text);
    }
    if (piece.kind === 'time') bytes += piece.digits;
  }
  if (bytes > MAX_FIXED_BYTES) {
    throw broken(template, `a name in the path has more than ${MAX_FIXED_BYTES} bytes`, 'Shorten it');
  }
}

function broken(template: string, reason: string, hint: string): AuditailError {
  return new AuditailError('TEMPLATE', `template '${template}': ${reason}`, { hint });
}
