const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** The JSON value in these bytes. @throws SyntaxError for anything else, TypeError for what is not UTF-8. */
export function parseJson(bytes: Buffer): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The bytes of each element of an array, as they stand there. The bytes are valid JSON. */
export function* elementsOf(array: Buffer): Generator<Buffer> {
  let at = skipSpace(array, skipSpace(array, 0) + 1);
  while (array[at] !== 0x5d) {
    const end = valueEnd(array, at);
    yield array.subarray(at, end);
    at = skipSpace(array, end);
    if (array[at] === 0x2c) at = skipSpace(array, at + 1);
  }
}

/** The bytes of an object's member, as they stand there; of a repeated one the last. The bytes are valid JSON. */
export function memberOf(object: Buffer, name: string): Buffer | undefined {
  let found: Buffer | undefined;
  let at = skipSpace(object, skipSpace(object, 0) + 1);
  while (object[at] !== 0x7d) {
    const keyEnd = valueEnd(object, at);
    const key = JSON.parse(object.toString('utf8', at, keyEnd));
    at = skipSpace(object, keyEnd);
    if (object[at] !== COLON) throw new Error(`no colon at byte ${at}`);
    at = skipSpace(object, at + 1);
    const end = valueEnd(object, at);
    if (key === name) found = object.subarray(at, end);
    at = skipSpace(object, end);
    if (object[at] === 0x2c) at = skipSpace(object, at + 1);
  }
  return found;
}

/** The bytes of values that follow each other, with or without white space between them. They may be invalid inside. */
export function* valuesOf(sequence: Buffer): Generator<Buffer> {
  for (let at = skipSpace(sequence, 0); at < sequence.length; ) {
    const end = valueEnd(sequence, at);
    if (end === at) throw new SyntaxError(`no value begins at byte ${at}`);
    yield sequence.subarray(at, end);
    at = skipSpace(sequence, end);
  }
}

function skipSpace(text: Buffer, at: number): number {
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at++;
  return at;
}

/** Where the value that begins at `at` ends. @throws SyntaxError when it does not. */
function valueEnd(text: Buffer, at: number): number {
  const start = at;
  let depth = 0;
  for (; at < text.length; at++) {
    const byte = text[at]!;
    if (byte === QUOTE) {
      at = stringEnd(text, at);
      if (depth === 0) return at + 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
    } else if (byte === 0x7d || byte === 0x5d) {
      // The end of what encloses a number or a word.
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === 0x2c || skipSpace(text, at) > at)) {
      return at;
    }
  }
  if (depth > 0) throw new SyntaxError(`the value at byte ${start} has no end`);
  return at;
}

/** The place of the quote that ends the string that begins at `at`. */
function stringEnd(text: Buffer, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === BACKSLASH) i++;
    else if (text[i] === QUOTE) return i;
  }
  throw new SyntaxError(`the string at byte ${at} has no end`);
}
