/** The bytes that JSON's grammar (RFC 8259) names, and where pieces of it end. Addresses are of the module's memory. */
export const QUOTE: u32 = 0x22;
export const COMMA: u32 = 0x2c;
export const COLON: u32 = 0x3a;
export const OPEN_BRACE: u32 = 0x7b;
export const CLOSE_BRACE: u32 = 0x7d;
export const OPEN_BRACKET: u32 = 0x5b;
export const SPACE: u32 = 0x20;
export const LOWER_N: u32 = 0x6e;
const BACKSLASH: u32 = 0x5c;
const TAB: u32 = 0x09;
const NEWLINE: u32 = 0x0a;
const RETURN: u32 = 0x0d;
const MINUS: u32 = 0x2d;
const PLUS: u32 = 0x2b;
const POINT: u32 = 0x2e;
const SLASH: u32 = 0x2f;
const DIGIT_0: u32 = 0x30;
const LOWER_A: u32 = 0x61;
const LOWER_B: u32 = 0x62;
const LOWER_E: u32 = 0x65;
const LOWER_F: u32 = 0x66;
const LOWER_R: u32 = 0x72;
const LOWER_T: u32 = 0x74;
const LOWER_U: u32 = 0x75;
/** Set in an ASCII letter, it makes the letter lower case. */
const CASE_BIT: u32 = 0x20;

/** Behind their first letters, the last of them lowest. */
const TRUE_REST: u64 = 0x657572;
const FALSE_REST: u64 = 0x65736c61;
const NULL_REST: u64 = 0x6c6c75;

/** Bytes that are looked at together: so many behind the end of a line are read, and not heeded. */
const LANES: usize = 16;

export function byteAt(at: usize): u32 {
  return load<u8>(at);
}

/** The first position from `at` that is not JSON white space, or `end`. */
export function spaceEnd(at: usize, end: usize): usize {
  for (; at < end; at += 1) {
    const byte = byteAt(at);
    if (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB) break;
  }
  return at;
}

/** The first position from `at` whose byte is a quote, a backslash or a control character, or `end`. */
export function plainEnd(at: usize, end: usize): usize {
  for (; at < end; at += LANES) {
    const bytes = v128.load(at);
    const isQuote = i8x16.eq(bytes, i8x16.splat(QUOTE as i8));
    const isBackslash = i8x16.eq(bytes, i8x16.splat(BACKSLASH as i8));
    const isControl = i8x16.lt_u(bytes, i8x16.splat(SPACE as i8));
    const stops = i8x16.bitmask(v128.or(v128.or(isQuote, isBackslash), isControl));
    if (stops !== 0) return min(at + ctz(stops), end);
  }
  return end;
}

/**
 * The position of the quote that ends a string, where `at` is a stop that {@link plainEnd} found; or, when the string
 * is bad, the bitwise complement of the position of its fault.
 */
export function stringEnd(at: usize, end: usize): isize {
  while (at < end) {
    const byte = byteAt(at);
    if (byte === QUOTE) return at;
    if (byte !== BACKSLASH) return ~at;
    at += 1;
    if (at === end) break;
    const escaped = byteAt(at);
    if (escaped === LOWER_U) {
      for (let digit = 0; digit < 4; digit += 1) {
        at += 1;
        if (at === end || !isHexDigit(byteAt(at))) return ~at;
      }
    } else if (!isSimpleEscape(escaped)) {
      return ~at;
    }
    at = plainEnd(at + 1, end);
  }
  return ~end;
}

/** The end of the number, `true`, `false` or `null` at `at`, or the complement of the position of its fault. */
export function scalarEnd(at: usize, end: usize): isize {
  if (at >= end) return ~end;
  const first = byteAt(at);
  if (first === MINUS || isDigit(first)) return numberEnd(at, end);
  if (first === LOWER_T) return literalEnd(at, end, TRUE_REST);
  if (first === LOWER_F) return literalEnd(at, end, FALSE_REST);
  if (first === LOWER_N) return literalEnd(at, end, NULL_REST);
  return ~at;
}

function literalEnd(at: usize, end: usize, rest: u64): isize {
  for (; rest !== 0; rest >>= 8) {
    at += 1;
    if (at === end || byteAt(at) !== ((rest & 0xff) as u32)) return ~at;
  }
  return at + 1;
}

function numberEnd(at: usize, end: usize): isize {
  if (byteAt(at) === MINUS) at += 1;
  if (at < end && byteAt(at) === DIGIT_0) at += 1;
  else {
    const digits = digitsEnd(at, end);
    if (digits < 0) return digits;
    at = digits;
  }
  if (at < end && byteAt(at) === POINT) {
    const digits = digitsEnd(at + 1, end);
    if (digits < 0) return digits;
    at = digits;
  }
  if (at < end && (byteAt(at) | CASE_BIT) === LOWER_E) {
    at += 1;
    if (at < end && (byteAt(at) === PLUS || byteAt(at) === MINUS)) at += 1;
    return digitsEnd(at, end);
  }
  return at;
}

/** The end of one or more digits, or the complement of `at` when there is none. */
function digitsEnd(at: usize, end: usize): isize {
  const first = at;
  while (at < end && isDigit(byteAt(at))) at += 1;
  return at === first ? ~at : at;
}

function isDigit(byte: u32): bool {
  return byte - DIGIT_0 < 10;
}

function isHexDigit(byte: u32): bool {
  return isDigit(byte) || (byte | CASE_BIT) - LOWER_A < 6;
}

function isSimpleEscape(byte: u32): bool {
  return (
    byte === QUOTE ||
    byte === BACKSLASH ||
    byte === SLASH ||
    byte === LOWER_B ||
    byte === LOWER_F ||
    byte === LOWER_N ||
    byte === LOWER_R ||
    byte === LOWER_T
  );
}
