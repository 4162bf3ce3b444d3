import fc from 'fast-check';
import { parseFieldPath } from '../../src/event/field-path.ts';

/** JSON as it is written, with keys that repeat and numbers as text, neither of which a JavaScript value can hold. */
type Written =
  | { readonly type: 'object'; readonly entries: readonly (readonly [string, Written])[] }
  | { readonly type: 'array'; readonly items: readonly Written[] }
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'token'; readonly text: string };

/** Paths to scan for; most of their keys are likely in generated documents. */
export const PATHS = [
  'objectRef.namespace',
  'objectRef',
  'a.b[0].c',
  'a.b[1]',
  'a[0][1].b',
  'a.a.a',
  "$['é'].a",
  `$['"\\']['']`,
  "$['__proto__'].a",
  "$['__proto__']['__proto__']",
  "$['\u{1f600}']",
  "$['\ufffd']",
  'a.b[0].c',
];

const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b') },
  { weight: 4, arbitrary: fc.constantFrom('objectRef', 'namespace', 'c') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('é', '"\\', '', '__proto__', '\u{1f600}', '\ufffd', '\ud800', '0', 'length'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '\ud83d', '\ude00', '\ud83d\ude00', '\0', '\u007f', '\u2028', '"', '\\', '\ufeff'),
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('0', '-0', '-0.0e+00', '1E999', '-1e-999', '123456789012345678901234567890', '1.5E+07', '0.10'),
);
const { value, object } = fc.letrec<{ value: Written; object: Written }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    { weight: 3, arbitrary: text.map((text) => ({ type: 'string', text }) as const) },
    { weight: 1, arbitrary: number.map((text) => ({ type: 'token', text }) as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('true', 'false', 'null').map((text) => ({ type: 'token', text }) as const),
    },
    { weight: 4, arbitrary: tie('object') },
    {
      weight: 2,
      arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((items) => ({ type: 'array', items }) as const),
    },
  ),
  object: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 6 })
    .map((entries) => ({ type: 'object', entries }) as const),
}));

const entries = fc.array(fc.tuple(key, value), { maxLength: 2 });
/** Objects in which one of the paths leads somewhere, with other entries, often duplicates, around each step. */
const pathed = fc.oneof(
  ...PATHS.map((path) =>
    parseFieldPath(path).reduceRight<fc.Arbitrary<Written>>(
      (child, segment) =>
        typeof segment === 'number'
          ? fc
              .tuple(
                fc.array(value, { minLength: segment, maxLength: segment }),
                child,
                fc.array(value, { maxLength: 2 }),
              )
              .map(([before, item, after]) => ({ type: 'array', items: [...before, item, ...after] }))
          : fc
              .tuple(entries, child, entries)
              .map(([before, item, after]) => ({ type: 'object', entries: [...before, [segment, item], ...after] })),
      value,
    ),
  ),
);

/** Bytes of a JSON document, mostly an object, with white space and escapes in any places that JSON allows. */
export const document = fc
  .tuple(
    fc.oneof({ weight: 5, arbitrary: pathed }, { weight: 4, arbitrary: object }, { weight: 1, arbitrary: value }),
    fc.integer(),
  )
  .map(([written, seed]) => Buffer.from(print(written, generator(seed))));

/** A place in a document as a part of its length, below 1, evenly spread. */
export const fraction = fc.nat({ max: 0xfffff }).map((value) => value / 0x100000);

/** One damage to a document; places are fractions of its length. */
export const mutation = fc.record({
  kind: fc.constantFrom('flip', 'set', 'cut', 'remove', 'insert', 'repeat'),
  at: fraction,
  length: fc.integer({ min: 1, max: 20 }),
  byte: fc.oneof(fc.constantFrom(...Buffer.from('"\\{}[],:0129.eE+-tfn/u \n\t\r')), fc.integer({ min: 0, max: 255 })),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** The document with the damage done. */
export function mutate(bytes: Buffer, { kind, at, length, byte }: Mutation): Buffer {
  const from = Math.floor(at * bytes.length);
  const before = bytes.subarray(0, from);
  const after = bytes.subarray(from + 1);
  const slice = bytes.subarray(from, from + length);
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.of((bytes[from] ?? 0) ^ (1 << (byte % 8))), after]);
    case 'set':
      return Buffer.concat([before, Buffer.of(byte), after]);
    case 'cut':
      return before;
    case 'remove':
      return Buffer.concat([before, bytes.subarray(from + length)]);
    case 'insert':
      return Buffer.concat([before, Buffer.of(byte), bytes.subarray(from)]);
    default:
      return Buffer.concat([before, slice, bytes.subarray(from)]);
  }
}

/** A small generator of numbers in [0, 1), so that one integer decides how a document is printed. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 0x1000000;
  };
}

function print(written: Written, random: () => number): string {
  const body = (): string => {
    switch (written.type) {
      case 'object':
        return `{${written.entries
          .map(([name, child]) => `${space(random)}${quote(name, random)}${space(random)}:${print(child, random)}`)
          .join(',')}${space(random)}}`;
      case 'array':
        return `[${written.items.map((child) => print(child, random)).join(',')}${space(random)}]`;
      case 'string':
        return quote(written.text, random);
      default:
        return written.text;
    }
  };
  return space(random) + body() + space(random);
}

function space(random: () => number): string {
  let spaces = '';
  while (random() < 0.15) spaces += ' \n\r\t'[Math.floor(random() * 4)];
  return spaces;
}

const SHORT_ESCAPES: Record<string, string> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '/': '/' };

function quote(text: string, random: () => number): string {
  let quoted = '"';
  for (let index = 0; index < text.length; index += 1) {
    const unit = text[index]!;
    const must = unit < ' ' || unit === '"' || unit === '\\';
    if (!must && random() < 0.9) quoted += unit;
    else if (unit === '"' || unit === '\\') quoted += `\\${unit}`;
    else if (unit in SHORT_ESCAPES && random() < 0.5) quoted += `\\${SHORT_ESCAPES[unit]}`;
    else {
      const digits = unit.charCodeAt(0).toString(16).padStart(4, '0');
      quoted += `\\u${random() < 0.5 ? digits : digits.toUpperCase()}`;
    }
  }
  return `${quoted}"`;
}
