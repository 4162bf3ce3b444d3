import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** More than any test sends: Loki gives no more than it is asked for. */
const LIMIT = 1_000_000;

/** Bytes that one query may give: what the clients among its parts take by default. */
const MAX_ANSWER = 100 << 20;

/** A line as Loki keeps it, with its stream's labels and, where it came by OTLP, its structured metadata among them. */
export interface StoredLine {
  readonly labels: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch: more than a number holds exactly. */
  readonly time: bigint;
  readonly line: string;
}

/** Grafana Loki in one process, with its data in files. It takes its own push and OTLP. */
export class Loki {
  readonly url: string;
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
    this.url = `http://127.0.0.1:${server.ports[0]}`;
  }

  static async start(program: string): Promise<Loki> {
    const server = await ServerProcess.start({
      name: 'loki',
      program,
      ports: 2,
      prepare: (directory, [http, grpc]) => {
        const config = join(directory, 'loki.yaml');
        writeFileSync(config, JSON.stringify(configuration(directory, http!, grpc!), undefined, 2));
        return { args: [`-config.file=${config}`], ready: `http://127.0.0.1:${http}/ready` };
      },
    });
    return new Loki(server);
  }

  /**
   * All lines of the streams that a selector matches, oldest first.
   *
   * @param fromMs first millisecond since the epoch that is asked for.
   * @param toMs the one after the last; at most 30 days later.
   * @throws Error when the query is refused.
   */
  async query(selector: string, fromMs: number, toMs: number): Promise<readonly StoredLine[]> {
    const url = new URL('/loki/api/v1/query_range', this.url);
    url.searchParams.set('query', selector);
    url.searchParams.set('start', `${fromMs}000000`);
    url.searchParams.set('end', `${toMs}000000`);
    url.searchParams.set('limit', String(LIMIT));
    url.searchParams.set('direction', 'forward');
    const response = await fetch(url);
    const text = await response.text();
    if (!response.ok) throw new Error(`Loki answered ${response.status}: ${text}`);
    const { data } = JSON.parse(text) as {
      data: { result: { stream: Record<string, string>; values: [string, string][] }[] };
    };
    return data.result
      .flatMap(({ stream, values }) =>
        values.map(([time, line]): StoredLine => ({ labels: stream, time: BigInt(time), line })),
      )
      .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Limits that a test's burst of old events would meet are off; everything else is as Loki has it. */
function configuration(directory: string, http: number, grpc: number): object {
  return {
    auth_enabled: false,
    // It would otherwise report to its makers.
    analytics: { reporting_enabled: false },
    server: {
      http_listen_address: '127.0.0.1',
      http_listen_port: http,
      grpc_listen_address: '127.0.0.1',
      grpc_listen_port: grpc,
      // Its parts talk to each other by gRPC. An answer beyond the default of 4 MB is tried again until the client gives up.
      grpc_server_max_recv_msg_size: MAX_ANSWER,
      grpc_server_max_send_msg_size: MAX_ANSWER,
      log_level: 'warn',
    },
    common: {
      instance_addr: '127.0.0.1',
      path_prefix: join(directory, 'data'),
      replication_factor: 1,
      storage: {
        filesystem: { chunks_directory: join(directory, 'chunks'), rules_directory: join(directory, 'rules') },
      },
      ring: { instance_addr: '127.0.0.1', kvstore: { store: 'inmemory' } },
    },
    schema_config: {
      configs: [
        {
          from: '2020-01-01',
          store: 'tsdb',
          object_store: 'filesystem',
          schema: 'v13',
          index: { prefix: 'index_', period: '24h' },
        },
      ],
    },
    ingester: {
      // Half of it is how far back in a stream a line may come late, as after a spool.
      max_chunk_age: '48h',
      // "Infinite", in nanoseconds: what has not been flushed is found however old its time is.
      query_store_max_look_back_period: '-1ns',
      lifecycler: { min_ready_duration: '0s', final_sleep: '0s' },
    },
    limits_config: {
      reject_old_samples: false,
      creation_grace_period: '87600h',
      ingestion_rate_mb: 1000,
      ingestion_burst_size_mb: 1000,
      per_stream_rate_limit: '1GB',
      per_stream_rate_limit_burst: '1GB',
      max_line_size: 0,
      max_entries_limit_per_query: 0,
      // It would otherwise make a label up where a request has none that it knows.
      discover_service_name: [],
      otlp_config: {
        resource_attributes: { attributes_config: [{ action: 'index_label', attributes: ['host.name'] }] },
      },
    },
  };
}
