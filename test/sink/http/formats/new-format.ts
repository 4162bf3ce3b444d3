import type { HttpSinkConfig } from '../../../../src/config/types.ts';
import { createFormat } from '../../../../src/sink/http/create-format.ts';
import type { Format } from '../../../../src/sink/http/format.ts';
import { httpConfig } from '../http-config.ts';
import { TIME } from '../http-events.ts';

/** A format on node cp-1 whose clock stands 877 ms after the events of httpEvent. */
export function newFormat(fields: Partial<HttpSinkConfig> & Pick<HttpSinkConfig, 'format'>): Format {
  return createFormat(httpConfig(fields), { node: 'cp-1', now: () => TIME + 877 });
}
