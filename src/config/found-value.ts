/** Characters of a value that a message shows. */
const SHOWN_LENGTH = 60;

/** The user information of a URL: a password may stand there, whatever the key is. */
const CREDENTIALS = /:\/\/[^/@\s]+@/g;

/**
 * A value of the configuration as a message shows it: one line, shortened. The value is the one in the file, before the
 * environment was filled in, so that nothing from the environment is ever shown.
 */
export function describeFound(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const text = value.replace(CREDENTIALS, '://…@');
  return JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text);
}

/** The value at `path`, or undefined when there is none. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}
