import { type DestinationStream, type Logger, pino } from 'pino';
import { LogStream } from './log-stream.ts';
import type { RecentTroubles } from './recent-troubles.ts';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export const LOG_FORMATS = ['json', 'text'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];

/** One for all loggers of the process, so that their lines do not mix. */
let stderr: LogStream | undefined;

/** pino's number for a level. */
const WARN = 40;
const ERROR = 50;

/**
 * A logger on stderr. `text` is for people: `time LEVEL message key=value …`. Warnings and errors that the level lets
 * through are remembered in `troubles`.
 */
export function createLogger(options: { level: LogLevel; format: LogFormat }, troubles?: RecentTroubles): Logger {
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
      hooks: {
        logMethod(args, method, level) {
          if (troubles !== undefined && level >= WARN) remember(troubles, level, args);
          method.apply(this, args);
        },
      },
    },
    stream,
  );
}

function remember(troubles: RecentTroubles, level: number, [first, second]: readonly unknown[]): void {
  const hasFields = typeof first === 'object' && first !== null;
  const fields = hasFields ? (first as Record<string, unknown>) : {};
  troubles.add(level >= ERROR ? 'error' : 'warn', fields, String(hasFields ? second : first));
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
