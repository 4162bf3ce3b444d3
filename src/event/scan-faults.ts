import { SPACE } from './json-bytes.ts';

/** What is wrong with a line, by the numbers that `wasm/scanner.ts` gives: a text, or what tells it from the bytes. */
const FAULTS: readonly (string | ((line: Buffer, at: number, from: number) => string))[] = [
  'not a JSON object',
  'expected a key in double quotes',
  (line, at) => (line[at]! < SPACE ? 'control character in a string' : 'invalid escape in a string'),
  'expected a colon',
  (line, at, from) => scalarFault(line[from]!, at === from),
  'expected a comma or }',
  'expected a comma or ]',
  'unexpected text after the object',
];

const LITERALS: ReadonlyMap<number, string> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), word]),
);

/**
 * In plain words what is wrong at the byte `at` of a line.
 *
 * @param from where the value begins that is wrong
 */
export function faultText(fault: number, line: Buffer, at: number, from: number): string {
  if (at >= line.length) return 'unexpected end';
  const text = FAULTS[fault]!;
  return typeof text === 'string' ? text : text(line, at, from);
}

function scalarFault(first: number, atBeginning: boolean): string {
  const literal = LITERALS.get(first);
  if (literal !== undefined) return `expected ${literal}`;
  return atBeginning ? 'expected a value' : 'expected a digit';
}
