import { z } from 'zod';
import { text } from './fields.ts';
import { MAX_FIELDS, MAX_SECRET_LENGTH, MAX_TEXT_LENGTH } from './limits.ts';
import { TextSecret } from './secret.ts';

/*
 * The kinds of value that only HTTP sinks have. What is or may be a secret becomes a `Secret` at once, and no message
 * quotes it.
 */

/** Headers that the transport sets itself, or that would change how a body is framed. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110, section 5.6.2: a token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

/** RFC 9110, section 5.5: visible characters, spaces and tabs, of one byte each. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function secretText(title: string, description: string) {
  const error = `expected ${title} as text, in quotes if it is a number`;
  return z
    .string(error)
    .min(1, `expected ${title}`)
    .max(MAX_SECRET_LENGTH, `expected at most ${MAX_SECRET_LENGTH} characters`)
    .regex(/^[^\x00-\x1f\x7f]*$/, `expected ${title} on one line, without control characters`)
    .transform((value) => new TextSecret(value))
    .meta({ title, description });
}

/** Text that is sent in a header as it is. */
export function headerText(title: string, description: string) {
  return z
    .string(`expected ${title} as text, in quotes if it is a number`)
    .min(1, `expected ${title}`)
    .max(MAX_SECRET_LENGTH, `expected at most ${MAX_SECRET_LENGTH} characters`)
    .regex(HEADER_VALUE, `expected ${title} on one line, of characters that a header can carry`)
    .transform((value) => new TextSecret(value))
    .meta({ title, description });
}

export function headerName(description: string) {
  const error = "expected a header's name: letters, digits and -";
  return z.string(error).regex(HEADER_NAME, error).meta({ title: 'header name', description });
}

export function headers(description: string) {
  const key = z
    .string()
    .regex(HEADER_NAME, 'expected names of headers, of letters, digits and -; one of the keys is none');
  return z
    .record(key, headerText('a value', ''), mappingError('header names to values'))
    .superRefine((given, context) => {
      const seen = new Set<string>();
      if (Object.keys(given).length > MAX_FIELDS) context.addIssue(`expected at most ${MAX_FIELDS} headers`);
      for (const name of Object.keys(given)) {
        const lower = name.toLowerCase();
        const message = OWN_HEADERS.has(lower)
          ? 'this header is set by auditail; leave it out'
          : seen.has(lower)
            ? 'this header stands here already, in other letters'
            : undefined;
        seen.add(lower);
        if (message !== undefined) {
          context.addIssue({ code: 'custom', path: [name], message, params: { complete: true, atKey: true } });
        }
      }
    })
    .meta({ title: 'mapping of names to texts', description });
}

/** An absolute http or https URL. Output: a secret, because paths, queries and user information often hold one. */
export function httpUrl(description: string, options: { userInformation: boolean }) {
  const error = 'expected an absolute URL that begins with http:// or https://';
  return z
    .string(error)
    .max(MAX_TEXT_LENGTH, `expected at most ${MAX_TEXT_LENGTH} characters`)
    .superRefine((value, context) => {
      const message = urlProblem(value, options.userInformation);
      if (message !== undefined) context.addIssue({ code: 'custom', message: message === '' ? error : message });
    })
    .transform((value) => new TextSecret(value))
    .meta({ title: 'URL', description });
}

/** Undefined for a good one; empty for what is no URL at all. */
function urlProblem(value: string, userInformation: boolean): string | undefined {
  // URL leaves out white space and puts slashes right, which hides a slip.
  if (/[\s\x00-\x1f\x7f]/.test(value)) return 'expected a URL without white space and control characters';
  if (!/^https?:\/\/[^/]/i.test(value) || !URL.canParse(value)) return '';
  const { username, password, hash } = new URL(value);
  if (!userInformation && (username !== '' || password !== '')) {
    return 'expected a URL without user name and password; put them into auth: { basic: { username, password } }';
  }
  if (hash !== '' || value.includes('#')) return 'expected a URL without a # part, which is never sent';
  return undefined;
}

/** Fields put into events. */
export function addedFields(description: string) {
  const error = 'expected text, a number, or true or false';
  const number = z
    .number(error)
    .refine(
      (value) => !Number.isInteger(value) || Number.isSafeInteger(value),
      'expected a number of at most 15 digits; put a longer one in quotes',
    );
  const value = z.union([z.string().max(MAX_TEXT_LENGTH, error), number, z.boolean()], { error });
  const key = z.string().min(1, 'expected a name that is not empty').max(MAX_TEXT_LENGTH, 'expected a shorter name');
  return z
    .record(key, value, mappingError('names to values'))
    .refine((given) => Object.keys(given).length <= MAX_FIELDS, `expected at most ${MAX_FIELDS} fields`)
    .meta({ title: 'mapping of names to text, numbers, true or false', description });
}

export function labels(description: string) {
  const key = z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'expected a label name: letters, digits and _, no digit first');
  return z
    .record(key, text('a template', ''), mappingError('label names to templates'))
    .refine((given) => Object.keys(given).length > 0, 'expected at least one label')
    .refine((given) => Object.keys(given).length <= MAX_FIELDS, `expected at most ${MAX_FIELDS} labels`)
    .meta({ title: 'mapping of names to templates', description });
}

function mappingError(what: string) {
  return {
    error: (issue: z.core.$ZodRawIssue) =>
      issue.code === 'invalid_type' ? `expected a mapping of ${what}` : undefined,
  };
}
