import type { Findings } from './findings.ts';

/** What a conversion needs to know of the host, and where it says what it has to say. */
export interface Context {
  readonly findings: Findings;
  /** IANA name of the local zone, in which fluentd slices time by default. */
  readonly timeZone: string;
  readonly hostname: string;
}
