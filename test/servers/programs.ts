import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A program that is built from modules of the Go module proxy. */
export interface Program {
  readonly name: string;
  /** Told apart in the cache by this. */
  readonly version: string;
  /** The main package: its import path, or the file of ours that imports the modules' components. */
  readonly main: { readonly package: string } | { readonly file: string };
  /** Module paths and versions. The `replace` directives of the first are taken over, as its own build has them. */
  readonly modules: readonly (readonly [path: string, version: string])[];
  /** Version of the modules that the first one has in its own repository, where they are published each by itself too. */
  readonly siblings?: string;
}

const COLLECTOR = 'v0.145.0';
const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib';

/**
 * VictoriaLogs moved to a module of its own after v1.117.0 of VictoriaMetrics, which still has it. The public proxy gave
 * that one and not the new module. It takes no OTLP in JSON: Loki and the collector do.
 *
 * The collector is of a version whose modules, the Splunk HEC receiver included, the proxy gave with their checksums; it
 * did not for v0.130, v0.150 and v0.164.
 *
 * Built in this order, the longest last.
 */
export const PROGRAMS = {
  'victoria-logs': {
    name: 'victoria-logs',
    version: 'v1.117.0',
    main: { package: 'github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-logs' },
    modules: [['github.com/VictoriaMetrics/VictoriaMetrics', 'v1.117.0']],
  },
  'otel-collector': {
    name: 'otel-collector',
    version: COLLECTOR,
    main: { file: ownMain('otel-collector') },
    modules: [
      ['go.opentelemetry.io/collector/otelcol', COLLECTOR],
      ['go.opentelemetry.io/collector/receiver/otlpreceiver', COLLECTOR],
      ['go.opentelemetry.io/collector/confmap/provider/fileprovider', 'v1.51.0'],
      [`${CONTRIB}/receiver/splunkhecreceiver`, COLLECTOR],
      [`${CONTRIB}/exporter/fileexporter`, COLLECTOR],
    ],
  },
  telegraf: {
    name: 'telegraf',
    version: 'v1.37.2',
    main: { file: ownMain('telegraf') },
    modules: [['github.com/influxdata/telegraf', 'v1.37.2']],
  },
  'audit-webhook': {
    name: 'audit-webhook',
    version: 'v0.37.2',
    main: { file: ownMain('audit-webhook') },
    modules: [['k8s.io/apiserver', 'v0.37.2']],
  },
  loki: {
    name: 'loki',
    version: 'v3.7.8',
    main: { package: 'github.com/grafana/loki/v3/cmd/loki' },
    modules: [['github.com/grafana/loki/v3', 'v3.7.8']],
  },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

/** Where programs are kept between runs and checkouts: `AUDITAIL_SERVER_CACHE`, or a directory of the user's cache. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env.AUDITAIL_SERVER_CACHE) return env.AUDITAIL_SERVER_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'auditail-servers');
}

/** The directory of one program in the cache. A program with a main file of ours is another one when that file changes. */
export function programDirectory(program: Program): string {
  const { name, version, main } = program;
  const own =
    'file' in main ? `-${createHash('sha256').update(readFileSync(main.file)).digest('hex').slice(0, 8)}` : '';
  return join(cacheDirectory(), `${name}-${version}${own}`);
}

/** The executable, or undefined where it has not been built. */
export function findBuilt(name: ProgramName): string | undefined {
  const path = join(programDirectory(PROGRAMS[name]), name);
  return existsSync(path) ? path : undefined;
}

function ownMain(name: string): string {
  return join(import.meta.dirname, 'go', name, 'main.go');
}
