import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export const LOG_FORMATS = ['json', 'text'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Log lines waiting for a stalled stderr; beyond it new lines are dropped, since a log must never stop the agent. */
const STALLED_LOG_BYTES = 1024 * 1024;

/** A logger on stderr. `text` is for people: `time LEVEL message key=value …`. */
export function createLogger(options: { level: LogLevel; format: LogFormat }): Logger {
  const stderr = destination({ dest: 2, sync: false, maxLength: STALLED_LOG_BYTES });
  const stream: DestinationStream =
    options.format === 'json' ? stderr : { write: (line: string) => stderr.write(formatText(line)) };
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    stream,
  );
}

/** Turns one JSON log line into `time LEVEL message key=value …`. */
export function formatText(line: string): string {
  const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  let text = `${time} ${String(level).toUpperCase().padEnd(5)} ${message ?? ''}`;
  for (const [key, value] of Object.entries(fields)) {
    text += ` ${key}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`;
  }
  return `${text}\n`;
}
