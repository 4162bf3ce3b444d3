/** The lines of a text, without their newlines; behind the last newline stands no further one. */
export function* linesOf(text: Buffer): Generator<Buffer> {
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf(0x0a, at);
    const end = newline === -1 ? text.length : newline;
    yield text.subarray(at, end);
    at = end + 1;
  }
}
