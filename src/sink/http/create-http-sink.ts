import type { SpoolRecords } from '../../checkpoint/spool-records.ts';
import type { Durability, HttpSinkConfig } from '../../config/types.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { HttpSink } from './http-sink.ts';

export interface HttpSinkSurroundings {
  readonly stateDir: string;
  readonly durability: Durability;
  readonly telemetry: Telemetry;
  readonly records: SpoolRecords;
  readonly share: number;
  readonly now: () => number;
  readonly wake: () => void;
}
export function createHttpSink(_config: HttpSinkConfig, _surroundings: HttpSinkSurroundings): HttpSink {
  throw new Error();
}
