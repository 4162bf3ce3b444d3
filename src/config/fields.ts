import path from 'node:path';
import { z } from 'zod';
import { MAX_ENTRIES, MAX_NAME_LENGTH, MAX_TEXT_LENGTH } from './limits.ts';
import { parseListenAddress } from './listen-address.ts';
import { DURATION_PATTERN, formatDuration, formatSize, parseDuration, parseSize, SIZE_PATTERN } from './units.ts';

/*
 * The kinds of value that the schema is made of. Each gives its `error` as "expected …" in an operator's words; what was
 * found is added where the issue is reported. `title` is the type that the reference shows.
 */

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Bytes: `64KiB`, `1MB` or a plain number. Output: a number of bytes. */
export function size(description: string, range: Range) {
  const error = 'expected a size such as 64KiB, 10GiB or 4096';
  const text = z.string(error).regex(new RegExp(SIZE_PATTERN), error);
  return z
    .union([text, z.int(error).nonnegative(error)], { error })
    .transform((value, context) => {
      const bytes = typeof value === 'number' ? value : parseSize(value);
      return checkRange(bytes, range, formatSize, 'a whole number of bytes', context);
    })
    .meta({ title: 'size', description: `${description} ${formatSize(range.min)} to ${formatSize(range.max)}.` });
}

/** Time: `500ms`, `5s`, `1h`, `7d`. Output: milliseconds. */
export function duration(description: string, range: Range) {
  return z
    .string('expected a duration with its unit, such as 500ms, 5s, 1h or 7d')
    .regex(new RegExp(DURATION_PATTERN), 'expected a duration such as 500ms, 5s, 1h or 7d')
    .transform((value, context) =>
      checkRange(parseDuration(value), range, formatDuration, 'a whole number of milliseconds', context),
    )
    .meta({
      title: 'duration',
      description: `${description} ${formatDuration(range.min)} to ${formatDuration(range.max)}.`,
    });
}

/** `off`, or what `field` takes. Output: undefined for off. */
export function orOff<T extends z.ZodType<number>>(field: T, description: string) {
  const off = z.literal('off').transform(() => undefined);
  const title = field.meta()?.title ?? 'value';
  return z
    .union([off, field], { error: (issue) => `expected off, or ${unionReason(issue)}` })
    .meta({ title: `${title} or off`, description });
}

export function count(description: string, range: Range) {
  const error = `expected a whole number from ${range.min} to ${range.max}`;
  return z
    .int(error)
    .min(range.min, error)
    .max(range.max, error)
    .meta({ title: 'number', description: `${description} ${range.min} to ${range.max}.` });
}

export function flag(description: string) {
  return z.boolean('expected true or false').meta({ title: 'true or false', description });
}

export function choice<const T extends readonly [string, ...string[]]>(description: string, values: T) {
  const expected = values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
  return z.enum(values, `expected ${expected}`).meta({ title: values.join(', '), description });
}

/** Text whose own grammar is checked later, where all of it is known. */
export function text(title: string, description: string) {
  return z
    .string(`expected ${title} as text`)
    .min(1, `expected ${title}`)
    .max(MAX_TEXT_LENGTH, `expected at most ${MAX_TEXT_LENGTH} characters`)
    .meta({ title, description });
}

export function name(description: string) {
  const error = `expected a name of at most ${MAX_NAME_LENGTH} of the characters a-z, 0-9 and -`;
  return z
    .string(error)
    .regex(new RegExp(`^[a-z0-9-]{1,${MAX_NAME_LENGTH}}$`), error)
    .meta({ title: 'name', description });
}

/** A tag as a source gives it: parts joined by dots. */
export function sourceTag(description: string) {
  const error = 'expected a tag: parts of A-Z, a-z, 0-9, _ and -, joined by dots';
  return z
    .string(error)
    .max(MAX_TEXT_LENGTH, error)
    .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, error)
    .meta({ title: 'tag', description });
}

/** An absolute path without `..`. Output: normalized, without a slash at the end. */
export function absolutePath(description: string) {
  return text('an absolute path', description)
    .refine((value) => path.isAbsolute(value), 'expected an absolute path, one that begins with /')
    .refine((value) => !/[\x00-\x1f\x7f]/.test(value), 'expected a path without control characters')
    .refine((value) => !value.split('/').includes('..'), 'expected a path without ..')
    .transform((value) => {
      const normalized = path.normalize(value);
      return normalized.length > 1 && normalized.endsWith('/') ? normalized.slice(0, -1) : normalized;
    })
    .meta({ title: 'path', description });
}

/** `host:port`, `unix:/path` or `off`. Output: a `ListenAddress`, undefined for off. */
export function listenAddress(description: string) {
  const error = 'expected host:port, unix:/path (at most 90 bytes), or off';
  return z
    .string(error)
    .transform((value, context) => {
      const address = parseListenAddress(value);
      if (address !== undefined || value === 'off') return address;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .meta({ title: 'host:port, unix:/path or off', description });
}

/** Permissions as quoted octal text. YAML reads a bare 0640 as the decimal number 640. Output: a number. */
export function octalMode(description: string, required: number) {
  const error = "expected permissions as octal digits in quotes, such as '0640'";
  const owner = required.toString(8).padStart(4, '0');
  return z
    .string(error)
    .regex(/^0?[0-7]{3}$/, error)
    .transform((value) => Number.parseInt(value, 8))
    .refine((mode) => (mode & required) === required, `expected permissions with at least '${owner}'`)
    .meta({ title: "mode, such as '0640'", description });
}

/** A mapping with these keys and no others. */
export function section<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? 'expected a mapping of keys to values' : undefined),
  });
}

export function list<T extends z.ZodType>(element: T, description: string, options: { min: number }) {
  return z
    .array(element, 'expected a list')
    .min(options.min, `expected at least ${options.min} entry`)
    .max(MAX_ENTRIES, `expected at most ${MAX_ENTRIES} entries`)
    .meta({ description });
}

function checkRange(
  value: number | undefined,
  range: Range,
  format: (value: number) => string,
  whole: string,
  context: z.RefinementCtx,
): number {
  let message: string | undefined;
  if (value === undefined) message = `expected ${whole}`;
  else if (value < range.min) message = `expected at least ${format(range.min)}`;
  else if (value > range.max) message = `expected at most ${format(range.max)}`;
  if (value !== undefined && message === undefined) return value;
  context.addIssue({ code: 'custom', message: message ?? '' });
  return z.NEVER;
}

/** The reason of the alternative that is not `off`. */
function unionReason(issue: z.core.$ZodRawIssue): string {
  const errors = (issue as { errors?: readonly (readonly { message: string }[])[] }).errors;
  return (errors?.at(-1)?.[0]?.message ?? 'a value').replace(/^expected /, '');
}
