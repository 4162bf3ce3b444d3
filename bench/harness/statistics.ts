/** The middle value, or the mean of the two in the middle. @throws RangeError without any value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The value below which this share (0 to 1) of all values lies, between two neighbours in proportion.
 *
 * @throws RangeError without any value.
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('no value was measured');
  const sorted = Float64Array.from(values).sort();
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}
