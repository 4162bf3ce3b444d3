const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** Rounded for people: `0 s`, `42 s`, `3.5 min`, `2.0 h`, `12 d`. */
export function formatAge(seconds: number): string {
  for (const [unit, length] of UNITS) {
    const value = seconds / length;
    if (value >= 1) return `${value >= 10 ? Math.round(value) : value.toFixed(1)} ${unit}`;
  }
  return `${Math.round(seconds)} s`;
}
