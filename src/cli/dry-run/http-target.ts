import type { HttpSinkConfig } from '../../config/types.ts';
import { originOf } from '../format/origin.ts';
import { Span } from './span.ts';

/** What an HTTP sink would send. Bytes are those of the lines as they were read. */
export class HttpTarget extends Span {
  readonly config: HttpSinkConfig;
  /** Its place among the sinks of the configuration. */
  readonly index: number;
  readonly origin: string;
  /** Lines that are no events and that it is told to leave out. */
  readonly skipped = new Span();
  /** Events that only stand for a line which is too long to be sent: their bytes do not count. */
  stubs = 0;

  constructor(config: HttpSinkConfig, index: number) {
    super();
    this.config = config;
    this.index = index;
    this.origin = originOf(config.url);
  }

  get skipsUnparsed(): boolean {
    return this.config.unparsed === 'skip';
  }
}
