import path from 'node:path';
import { isGlob } from '../source/discovery.ts';

/** The longest directory of a glob that is written out: `/var/log/a*` is searched in `/var/log`. */
export function globDirectory(glob: string): string {
  const parts = glob.split('/');
  const first = parts.findIndex((part) => isGlob(part));
  return parts.slice(0, first === -1 ? undefined : first).join('/') || '/';
}

/** True when `inner` is `outer` or below it. Both are normalized absolute paths. */
function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

/**
 * True when a source reading `source` could take files in `directory` whose base name begins with `prefix` for its own:
 * because the source is that directory or one above it, or is a file or glob there whose live file or rotated parts
 * (`audit.log`, `audit-2026….log`) may begin alike. Only names are compared, so the answer leans to yes.
 */
export function couldBeRead(source: string, directory: string, prefix: string): boolean {
  if (!isGlob(source) && isInside(directory, source)) return true;
  const sourceDirectory = path.dirname(source);
  const sameDirectory = isGlob(sourceDirectory)
    ? path.matchesGlob(directory, sourceDirectory)
    : directory === sourceDirectory;
  if (!sameDirectory) return false;
  const name = path.basename(source);
  const stem = literalPrefix(isGlob(name) ? name : path.parse(name).name);
  return stem.startsWith(prefix) || prefix.startsWith(stem);
}

/** What stands before the first character that is not itself: a glob's, or a template's `${` or `%`. */
export function literalPrefix(text: string): string {
  const end = text.search(/[*?[\]{}!()$%]/);
  return end === -1 ? text : text.slice(0, end);
}
