import { EventRules } from '../../agent/event-rules.ts';
import { lineTime } from '../../agent/line-time.ts';
import type { Config, SourceConfig } from '../../config/types.ts';
import type { EventTimes } from '../../source/line-handler.ts';

/** Tells the times of a source's lines, as the agent would. */
export function eventTimes(config: Config, source: SourceConfig): EventTimes {
  return { eventTime: lineTime(source.format, new EventRules(config, [], Date.now).newReader()) };
}
