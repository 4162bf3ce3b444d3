import { z } from 'zod';
import { absolutePath, section, text } from './fields.ts';
import { headerName, headerText, secretText } from './http-fields.ts';
import { FileSecret } from './secret.ts';
import type { AuthConfig, Secret } from './types.ts';

const FROM_FILE = 'File that holds it; it is read again when it changes.';

const basic = section({
  // RFC 7617, section 2: the first colon ends it.
  username: text('a user name', '')
    .regex(/^[^:\x00-\x1f\x7f]+$/, 'expected a user name without colons and control characters')
    .meta({ title: 'a user name', description: 'User name.' }),
  password: secretText('a password', 'Password; password_file or `${env:NAME}` keep it out of this file.').optional(),
  password_file: absolutePath(FROM_FILE).optional(),
}).transform((given, context): AuthConfig => {
  const password = oneOf('password', given.password, given.password_file, context);
  return { kind: 'basic', username: given.username, password };
});

const header = section({
  name: headerName('Name of the header.'),
  value: headerText('a value', 'Its value; value_file or `${env:NAME}` keep it out of this file.').optional(),
  value_file: absolutePath(FROM_FILE).optional(),
}).transform((given, context): AuthConfig => {
  const value = oneOf('value', given.value, given.value_file, context);
  return { kind: 'header', name: given.name, value };
});

/** How a sink shows who it is: by exactly one of these. */
export const auth = section({
  basic: basic.optional().describe('User name and password.'),
  bearer: headerText('a token', 'A bearer token; bearer_file or `${env:NAME}` keep it out of this file.').optional(),
  bearer_file: absolutePath(FROM_FILE).optional(),
  header: header.optional().describe('A header of your own, such as an API key.'),
}).transform((given, context): AuthConfig => {
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (names.length !== 1) return refuse(['basic', 'bearer', 'bearer_file', 'header'], names, context);
  const token = given.bearer ?? (given.bearer_file === undefined ? undefined : new FileSecret(given.bearer_file));
  return given.basic ?? given.header ?? { kind: 'bearer', token: token as Secret };
});

function oneOf(
  name: string,
  given: Secret | undefined,
  file: string | undefined,
  context: z.core.$RefinementCtx,
): Secret {
  if (given !== undefined && file === undefined) return given;
  if (file !== undefined && given === undefined) return new FileSecret(file);
  const names = [name, `${name}_file`];
  return refuse(names, given === undefined ? [] : names, context);
}

function refuse(allowed: readonly string[], given: readonly string[], context: z.core.$RefinementCtx): never {
  // A key that is not known was told already, and is most likely the one that is missing here.
  if (context.issues.length > 0) return z.NEVER;
  const found = given.length === 0 ? 'none' : given.join(' and ');
  const message = `expected exactly one of ${allowed.join(', ')}, found ${found}`;
  context.addIssue({ code: 'custom', message, params: { complete: true }, input: undefined });
  return z.NEVER;
}
