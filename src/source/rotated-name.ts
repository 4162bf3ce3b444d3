/** How a rotated part got its name. `gzip` is a name that differs from its live file only by `.gz`. */
export type RotationStyle = 'lumberjack' | 'numbered' | 'dated' | 'aside' | 'gzip';

export interface RotatedName {
  /** Base name of the live file that this is a part of. */
  readonly live: string;
  /** Outermost first: `audit-2026-11-20T15-04-05.000.log.1` was rotated by lumberjack and then by logrotate. */
  readonly styles: readonly [RotationStyle, ...RotationStyle[]];
  readonly gzip: boolean;
}

/** lumberjack (the kube-apiserver's own rotation): `audit-2006-01-02T15-04-05.000.log`, in UTC; also without extension. */
const LUMBERJACK = /^(.+)-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}(\.[^.]+)?$/;

/** logrotate: `audit.log.1`, and `audit.1.log` with its `extension` directive. */
const NUMBERED = /^(.+)\.\d{1,4}(\.[A-Za-z]+)?$/;

/**
 * logrotate's `dateext` with its usual formats (`audit.log-20261120`, `audit.log-2026-11-20`, `audit-20261120.log`,
 * `audit.log-20261120-15`, `audit.log-1795186800`), and kubelet's `0.log.20261120-150405`.
 */
const DATED = /^(.+)[-.](?:\d{4}-?\d{2}-?\d{2}(?:[-_.T]?\d{2}(?:[-:.]?\d{2}){0,2})?|\d{10})(\.[A-Za-z]+)?$/;

/** logrotate moves a part aside that stands where it is about to rotate to: `audit.log.1-2026113012.backup`. */
const ASIDE = /^(.+)-\d{10}\.backup()$/;

const STYLES: readonly [RotationStyle, RegExp][] = [
  ['aside', ASIDE],
  ['lumberjack', LUMBERJACK],
  ['dated', DATED],
  ['numbered', NUMBERED],
];

/** Tells a rotated part by its base name, and which live file it belongs to; undefined for a live file's name. */
export function parseRotatedName(name: string): RotatedName | undefined {
  const gzip = name.endsWith('.gz') && name.length > '.gz'.length;
  const styles: RotationStyle[] = [];
  let live = gzip ? name.slice(0, -'.gz'.length) : name;
  for (;;) {
    const match = firstMatch(live);
    if (match === undefined) break;
    styles.push(match.style);
    live = match.live;
  }
  const [first, ...rest] = styles.length === 0 && gzip ? (['gzip'] as const) : styles;
  return first === undefined ? undefined : { live, styles: [first, ...rest], gzip };
}

function firstMatch(name: string): { style: RotationStyle; live: string } | undefined {
  for (const [style, pattern] of STYLES) {
    const match = pattern.exec(name);
    if (match !== null) return { style, live: `${match[1]}${match[2] ?? ''}` };
  }
  return undefined;
}
