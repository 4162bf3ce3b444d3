import type { Findings } from './findings.ts';
import type { Param, Section } from './section.ts';

/**
 * The tag of a source. A `*` in it stands for the path of the file, with dots for slashes, in both tools; here a source
 * has one tag, so that where the path has wildcards all its files share what is left of it without them.
 */
export function expandTag(written: Param | undefined, path: string, section: Section, findings: Findings): string {
  if (written === undefined) {
    findings.warn(section, 'the source has no tag, and gets audit');
    return 'audit';
  }
  const dotted = path
    .replace(/^\/+/, '')
    .replaceAll(/[*?[\]{}]+/g, '')
    .replaceAll('/', '.');
  if (written.value.includes('*') && /[*?[{]/.test(path)) {
    findings.warn(written, `${written.key}: all files of ${path} have one tag here, that does not name the file`);
  }
  const expanded = written.value.replace('*', dotted);
  const tag = expanded
    .split('.')
    .map((part) => part.replaceAll(/[^A-Za-z0-9_-]/g, '-'))
    .filter((part) => part !== '')
    .join('.');
  if (tag !== expanded)
    findings.warn(written, `${written.key}: a tag here has only letters, digits, _ and -: it is ${tag}`);
  findings.translated(written);
  return tag === '' ? 'audit' : tag;
}
