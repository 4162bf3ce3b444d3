import { splitExtensions } from './file-name.ts';
import { leadingText, type PathPiece } from './path-pieces.ts';

const DIGIT = '[0-9]';
const SHORTENED = `*~${'[0-9a-f]'.repeat(16)}`;
const SIBLING_NUMBER = `{,.+(${DIGIT})}`;

/**
 * A pattern for `path.matchesGlob` that takes every path that a template renders and its numbered siblings, and as
 * little else as possible.
 */
export function pathGlob(names: readonly (readonly PathPiece[])[]): string {
  const directories = names.slice(0, -1).map((pieces) => withShortened(pieces, globOf(pieces)));
  return ['', ...directories, fileGlob(names.at(-1)!)].join('/');
}

function fileGlob(pieces: readonly PathPiece[]): string {
  const last = pieces.at(-1)!;
  const { stem, extensions } = splitExtensions(last.kind === 'text' ? last.text : '');
  const lastTag = pieces.findLastIndex((piece) => piece.kind === 'tag');
  if (lastTag >= 0 && !pieces.slice(lastTag).some((piece) => piece.kind === 'time')) {
    // A tag can end in what looks like an extension, or complete one, and then the number stands further ahead.
    const start = leadingText(pieces);
    const dot = start.indexOf('.', 1);
    return `${escapeGlob(dot < 0 ? start : start.slice(0, dot))}*${escapeGlob(extensions)}`;
  }
  const base = last.kind === 'text' ? [...pieces.slice(0, -1), { ...last, text: stem }] : pieces;
  return `${withShortened(pieces, globOf(base))}${SIBLING_NUMBER}${escapeGlob(extensions)}`;
}

/** Only a tag can make a name too long. */
function withShortened(pieces: readonly PathPiece[], glob: string): string {
  if (!pieces.some((piece) => piece.kind === 'tag')) return glob;
  return `{${glob},${escapeGlob(leadingText(pieces))}${SHORTENED}}`;
}

function globOf(pieces: readonly PathPiece[]): string {
  let glob = '';
  for (const piece of pieces) {
    if (piece.kind === 'text') glob += escapeGlob(piece.text);
    else if (piece.kind === 'time') glob += DIGIT.repeat(piece.digits);
    else if (!glob.endsWith('*')) glob += '*';
  }
  return glob;
}

/** A backslash is a path separator to `path.matchesGlob`, and a class cannot hold a brace: any one character it is. */
function escapeGlob(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_.~%=:\-\u0080-\uffff]/g, '?');
}
