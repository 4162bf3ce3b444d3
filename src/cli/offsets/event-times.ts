import { EventRules } from '../../agent/event-rules.ts';
import type { Config } from '../../config/types.ts';
import type { LineHandler } from '../../source/line-handler.ts';

/** Tells the times of events, as the agent would, and takes no lines. */
export function eventTimes(config: Config): LineHandler {
  const { scanner, eventTime } = new EventRules(config, [], Date.now).newReader();
  return {
    line: () => undefined,
    longLine: async () => ({ piece: async () => undefined, end: async () => undefined }),
    nulls: () => undefined,
    eventTime: (buffer, start, end) => {
      scanner.scan(buffer, start, end);
      return eventTime.of(buffer);
    },
  };
}
