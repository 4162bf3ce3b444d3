/** Bytes per unit. IEC units are powers of 1024 and SI units are powers of 1000, as in Kubernetes and systemd. */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  TiB: 1024 ** 4,
  GiB: 1024 ** 3,
  MiB: 1024 ** 2,
  KiB: 1024,
  TB: 1000 ** 4,
  GB: 1000 ** 3,
  MB: 1000 ** 2,
  KB: 1000,
  kB: 1000,
  B: 1,
};

/** Milliseconds per unit. */
const DURATION_UNITS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The forms that {@link parseSize} and {@link parseDuration} take, as regular expression sources for editors. */
export const SIZE_PATTERN = `^[0-9]+(\\.[0-9]+)? ?(${Object.keys(SIZE_UNITS).join('|')})?$`;
export const DURATION_PATTERN = `^[0-9]+(\\.[0-9]+)? ?(${Object.keys(DURATION_UNITS).join('|')})$`;

const SIZE = new RegExp(SIZE_PATTERN);
const DURATION = new RegExp(DURATION_PATTERN);

/** Bytes of `64KiB`, `10GiB`, `1.5MB` or a plain `4096`; undefined when it is no size or no whole number of bytes. */
export function parseSize(text: string): number | undefined {
  return SIZE.test(text) ? scaled(text, SIZE_UNITS) : undefined;
}

/** Milliseconds of `500ms`, `5s`, `1.5h`, `7d`; undefined when it is no duration or no whole number of milliseconds. */
export function parseDuration(text: string): number | undefined {
  return DURATION.test(text) ? scaled(text, DURATION_UNITS) : undefined;
}

/** The shortest exact form in IEC units: `64KiB`, `1000B`. {@link parseSize} gives the same number back. */
export function formatSize(bytes: number): string {
  return formatted(bytes, { TiB: TIB, GiB: GIB, MiB: MIB, KiB: KIB, B: 1 });
}

/** The shortest exact form: `90m`, `1500ms`. {@link parseDuration} gives the same number back. */
export function formatDuration(ms: number): string {
  return ms === 0 ? '0s' : formatted(ms, DURATION_UNITS);
}

function scaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const number = Number.parseFloat(text);
  const unit = text.replace(/^[0-9.]+ ?/, '');
  const value = number * (unit === '' ? 1 : (units[unit] as number));
  // 1.1MB is exactly 1100000 bytes, but 1.1 * 1000000 is not: the product is taken when only rounding separates it.
  const whole = Math.round(value);
  return Number.isSafeInteger(whole) && Math.abs(whole - value) < 1e-6 * Math.max(1, Math.abs(number))
    ? whole
    : undefined;
}

function formatted(value: number, units: Readonly<Record<string, number>>): string {
  for (const [unit, factor] of Object.entries(units)) {
    if (value >= factor && value % factor === 0) return `${value / factor}${unit}`;
  }
  return `${value}${Object.keys(units).at(-1)}`;
}
