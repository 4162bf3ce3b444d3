import { formatDuration, formatSize } from '../config/units.ts';

const FLUENTD_SIZES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
/** Fluent Bit, "Unit sizes": decimal. */
const FLUENT_BIT_SIZES: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Bytes of fluentd's `8m`, `256k`; undefined when it is none. */
export function fluentdSize(text: string): number | undefined {
  return scaled(text, /^(\d+(?:\.\d+)?)\s*([kmgt]?)b?$/i, FLUENTD_SIZES);
}

/** Bytes of Fluent Bit's `5MB`, `32k`; undefined when it is none. */
export function fluentBitSize(text: string): number | undefined {
  return scaled(text, /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i, FLUENT_BIT_SIZES);
}

/** Milliseconds of `10s`, `0.5`, `1h`, as both tools write time; undefined when it is none. */
export function milliseconds(text: string): number | undefined {
  const seconds = scaled(text, /^(\d+(?:\.\d+)?)\s*([smhd]?)$/i, SECONDS, 1000);
  return seconds;
}

/** `true`, `yes`, `on` and a key without a value; undefined for what is neither true nor false. */
export function truth(text: string): boolean | undefined {
  if (/^(?:true|yes|on|1|)$/i.test(text)) return true;
  return /^(?:false|no|off|0)$/i.test(text) ? false : undefined;
}

/** The members of a JSON object; undefined when the text is none. */
export function jsonObject(text: string): [string, unknown][] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  } catch {
    return undefined;
  }
}

/** As the configuration writes it, moved into what it takes. */
export function sizeWithin(bytes: number, { min, max }: Range): string {
  return formatSize(Math.min(Math.max(Math.round(bytes), min), max));
}

export function durationWithin(ms: number, { min, max }: Range): string {
  return formatDuration(Math.min(Math.max(Math.round(ms), min), max));
}

function scaled(text: string, form: RegExp, units: Readonly<Record<string, number>>, per = 1): number | undefined {
  const match = form.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * units[match[2]!.toLowerCase()]! * per);
}
