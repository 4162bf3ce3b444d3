import { ConfigError } from '../../src/config/config-error.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Config, FileSinkConfig, HttpSinkConfig } from '../../src/config/types.ts';

export function parse(text: string, env: NodeJS.ProcessEnv = {}): Config {
  return parseConfig(text, { file: 'auditail.yaml', env, cores: 8 });
}

/** The lines that a wrong configuration prints, without the file's name. */
export function errorsOf(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    parse(text, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace(/^auditail\.yaml:/, ''));
  }
  return [];
}

export function firstFileSink(config: Config): FileSinkConfig | undefined {
  return config.sinks.find((sink) => sink.type === 'file');
}

export function firstHttpSink(config: Config): HttpSinkConfig | undefined {
  return config.sinks.find((sink) => sink.type === 'http');
}
