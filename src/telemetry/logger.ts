import { type DestinationStream, type Logger, pino } from 'pino';
import { LogStream } from './log-stream.ts';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export const LOG_FORMATS = ['json', 'text'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];

/** One for all loggers of the process, so that their lines do not mix. */
let stderr: LogStream | undefined;

/** A logger on stderr. `text` is for people: `time LEVEL message key=value …`. */
export function createLogger(options: { level: LogLevel; format: LogFormat }): Logger {
  const lines = logStream();
  const stream: DestinationStream =
    options.format === 'json' ? lines : { write: (line: string) => lines.write(formatText(line)) };
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

/** Writes what waits, so that what is written to stderr next stands behind it. */
export function flushLogs(): void {
  stderr?.flushSync();
}

function logStream(): LogStream {
  if (stderr === undefined) {
    const opened = new LogStream(2);
    process.on('exit', flushLogs);
    stderr = opened;
  }
  return stderr;
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
