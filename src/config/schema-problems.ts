import type { z } from 'zod';
import { formatPath, type IssuePath } from './config-error.ts';
import { knownKeys } from './json-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { Problem } from './problem.ts';
import { mayBeSecret } from './secret-paths.ts';

/** What the schema found in `value`, one problem for each unknown key and each wrong value. */
export function schemaProblems(error: z.ZodError, value: unknown): Problem[] {
  const keysAt = new Map<string, readonly string[]>();
  return error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'invalid_union') return [unionProblem(path, issue)];
    if (issue.code === 'invalid_key') return [keyProblem(path, issue.issues[0]?.message ?? issue.message)];
    if (issue.code === 'custom') return [{ path, message: issue.message, ...issue.params }];
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    const place = formatPath(path);
    const known = keysAt.get(place) ?? knownKeys(path, value);
    keysAt.set(place, known);
    return issue.keys.map((key) => unknownKey(path, key, known));
  });
}

/** When one alternative is right but for something inside (an entry of a list), that is the problem. */
function unionProblem(path: IssuePath, issue: z.core.$ZodIssueInvalidUnion): Problem {
  const inner = issue.errors.flat().find((nested) => nested.path.length > 0);
  if (inner === undefined) return { path, message: issue.message };
  return { path: [...path, ...inner.path.map((step) => step as string | number)], message: inner.message };
}

/** A key of a mapping whose keys are names of the operator's choice. */
function keyProblem(path: IssuePath, message: string): Problem {
  const parent = path.slice(0, -1);
  return { path, message, complete: true, atKey: true, ...(mayBeSecret(path) && { shown: parent }) };
}

function unknownKey(parent: IssuePath, key: string, known: readonly string[]): Problem {
  const near = nearestName(key, known);
  const path = [...parent, key];
  const problem = { path, complete: true, atKey: true };
  const colon = key.indexOf(':');
  if (colon > 0) {
    // `{bearer:abc}` is a key without a value to YAML, and what stands behind the colon may be a secret.
    const message = `unknown key; a colon needs a space behind it`;
    return { ...problem, message, shown: [...parent, `${key.slice(0, colon)}:…`] };
  }
  const advice = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${near}?`;
  const isHidden = near === undefined && mayBeSecret(path);
  return { ...problem, message: `unknown key; ${advice}`, ...(isHidden && { shown: parent }) };
}
