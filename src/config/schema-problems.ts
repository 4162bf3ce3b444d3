import type { z } from 'zod';
import { formatPath, type IssuePath } from './config-error.ts';
import { knownKeys } from './json-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { Problem } from './problem.ts';

/** What the schema found, one problem for each unknown key and each wrong value. */
export function schemaProblems(error: z.ZodError): Problem[] {
  const keysAt = new Map<string, readonly string[]>();
  return error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'invalid_union') return [unionProblem(path, issue)];
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    const place = formatPath(path);
    const known = keysAt.get(place) ?? knownKeys(path);
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

function unknownKey(parent: IssuePath, key: string, known: readonly string[]): Problem {
  const near = nearestName(key, known);
  const advice = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${near}?`;
  return { path: [...parent, key], message: `unknown key; ${advice}`, complete: true, atKey: true };
}
