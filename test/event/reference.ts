import assert from 'node:assert/strict';
import { parseFieldPath } from '../../src/event/field-path.ts';
import { CONTAINER, type EventScanner, MISSING, NULL, SCALAR, STRING } from '../../src/event/scanner.ts';

/** What JSON.parse gives for these bytes when it is an object; undefined when it is not, or they are not JSON. */
export function parseObject(buf: Buffer, start: number, end: number): object | undefined {
  let value: unknown;
  try {
    value = JSON.parse(buf.toString('utf8', start, end));
  } catch {
    return undefined;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

/** What stands at a path, by a walk over the parsed value: own keys of objects, elements of arrays. */
export function valueAt(value: unknown, path: string): unknown {
  for (const segment of segmentsOf(path)) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value) !== (typeof segment === 'number') || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string | number, unknown>)[segment];
  }
  return value;
}

const SEGMENTS = new Map<string, readonly (string | number)[]>();

function segmentsOf(path: string): readonly (string | number)[] {
  const segments = SEGMENTS.get(path) ?? parseFieldPath(path);
  SEGMENTS.set(path, segments);
  return segments;
}

/** Scans, and asserts that verdict, kinds and texts are those that JSON.parse gives. Returns the verdict. */
export function assertScansAsParsed(
  scanner: EventScanner,
  paths: readonly string[],
  buf: Buffer,
  start = 0,
  end = buf.length,
): boolean {
  const expected = parseObject(buf, start, end);
  const verdict = scanner.scan(buf, start, end);
  assert.equal(verdict, expected !== undefined, verdict ? 'accepted what is no event' : scanner.errorReason);
  paths.forEach((path, slot) => {
    const value = expected === undefined ? undefined : valueAt(expected, path);
    assert.equal(scanner.kinds[slot], kindOf(value), path);
    const text = scanner.text(slot);
    if (typeof value === 'number') assert.equal(Number(text), value, path);
    else if (typeof value === 'boolean') assert.equal(text, String(value), path);
    else assert.equal(text, typeof value === 'string' ? value : undefined, path);
  });
  if (verdict) assert.equal(scanner.errorReason, '');
  else assertFaultIsExact(scanner, buf, start, end);
  return verdict;
}

/** The bytes before the reported fault can be the beginning of an event, and with the byte at it they cannot. */
function assertFaultIsExact(scanner: EventScanner, buf: Buffer, start: number, end: number): void {
  const { errorOffset, errorReason } = scanner;
  assert.notEqual(errorReason, '');
  assert.ok(errorOffset >= start && errorOffset <= end, `fault at ${errorOffset}, outside ${start}..${end}`);
  assert.equal(errorOffset === end, errorReason === 'unexpected end');
  if (errorOffset < end) {
    assert.equal(scanner.scan(buf, start, errorOffset + 1), false);
    assert.equal(scanner.errorOffset, errorOffset);
  }
  if (!scanner.scan(buf, start, errorOffset)) assert.equal(scanner.errorOffset, errorOffset);
}

function kindOf(value: unknown): number {
  if (value === undefined) return MISSING;
  if (value === null) return NULL;
  if (typeof value === 'string') return STRING;
  return typeof value === 'object' ? CONTAINER : SCALAR;
}
