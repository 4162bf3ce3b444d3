import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** `AnyValue` of OTLP's JSON, as far as the collector's file has it. */
interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  /** 64 bits, so a string. */
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** A log record as the collector took it. */
export interface StoredRecord {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
}

/** The OpenTelemetry Collector: OTLP over HTTP and Splunk HEC, each written to a file of its own. */
export class OtelCollector {
  readonly otlpUrl: string;
  readonly splunkUrl: string;
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
    const [otlp, splunk] = server.ports;
    this.otlpUrl = `http://127.0.0.1:${otlp}`;
    this.splunkUrl = `http://127.0.0.1:${splunk}`;
  }

  static async start(program: string): Promise<OtelCollector> {
    const server = await ServerProcess.start({
      name: 'otel-collector',
      program,
      ports: 2,
      prepare: (directory, [otlp, splunk]) => {
        const config = join(directory, 'collector.yaml');
        writeFileSync(config, JSON.stringify(configuration(directory, otlp!, splunk!), undefined, 2));
        return { args: ['--config', config], ready: `http://127.0.0.1:${splunk}/services/collector/health` };
      },
    });
    return new OtelCollector(server);
  }

  /** Ends the collector, which writes what it still has, and reads what came through one of its receivers. */
  async endAndRead(receiver: 'otlp' | 'splunk'): Promise<readonly StoredRecord[]> {
    await this.#server.end();
    const text = readFileSync(join(this.#server.directory, `${receiver}.jsonl`), 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .flatMap(recordsOf);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function configuration(directory: string, otlp: number, splunk: number): object {
  return {
    receivers: {
      otlp: { protocols: { http: { endpoint: `127.0.0.1:${otlp}` } } },
      splunk_hec: { endpoint: `127.0.0.1:${splunk}` },
    },
    exporters: {
      'file/otlp': { path: join(directory, 'otlp.jsonl') },
      'file/splunk': { path: join(directory, 'splunk.jsonl') },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        'logs/otlp': { receivers: ['otlp'], exporters: ['file/otlp'] },
        'logs/splunk': { receivers: ['splunk_hec'], exporters: ['file/splunk'] },
      },
    },
  };
}

function recordsOf(line: string): StoredRecord[] {
  const request = JSON.parse(line) as {
    resourceLogs: {
      resource?: { attributes?: KeyValue[] };
      scopeLogs: { logRecords: { body?: AnyValue; attributes?: KeyValue[]; timeUnixNano?: string }[] }[];
    }[];
  };
  return request.resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ body, attributes, timeUnixNano }) => ({
        resource: objectOf(resource?.attributes),
        attributes: objectOf(attributes),
        body: anyValueOf(body ?? {}),
        time: BigInt(timeUnixNano ?? 0),
      })),
    ),
  );
}

function objectOf(pairs: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, anyValueOf(value)]));
}

function anyValueOf(value: AnyValue): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(anyValueOf);
  if (value.kvlistValue) return objectOf(value.kvlistValue.values);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? null;
}
