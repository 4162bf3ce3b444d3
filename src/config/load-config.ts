import { closeSync, openSync, readSync } from 'node:fs';
import { AuditailError, errorCode } from '../errors.ts';
import { ConfigError } from './config-error.ts';
import { MAX_CONFIG_BYTES } from './limits.ts';
import { type ParsedConfig, type ParseOptions, parseConfigDocument } from './parse-config.ts';
import type { Config } from './types.ts';
import { formatSize } from './units.ts';

/** Reads and checks a configuration file; see {@link loadConfigDocument}. */
export function loadConfig(file: string, options: Omit<ParseOptions, 'file'>): Config {
  return loadConfigDocument(file, options).config;
}

/**
 * Reads and checks a configuration file. Throws `CONFIG_READ` when it cannot be read, and {@link ConfigError} with
 * everything that is wrong in it.
 */
export function loadConfigDocument(file: string, options: Omit<ParseOptions, 'file'>): ParsedConfig {
  return parseConfigDocument(decoded(readConfigFile(file), file), { ...options, file });
}

function readConfigFile(file: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    return readAll(descriptor);
  } catch (cause) {
    const hint =
      errorCode(cause) === 'ENOENT' ? 'Name an existing file with -c, or write one; an empty file is valid' : undefined;
    throw new AuditailError('CONFIG_READ', `cannot read the configuration ${file}`, {
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Reads to the end without asking for the size first: pipes and devices have none. */
function readAll(descriptor: number): Buffer {
  const bytes = Buffer.alloc(MAX_CONFIG_BYTES + 1);
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (count === 0) return bytes.subarray(0, length);
    length += count;
  }
  throw new Error(`it is larger than ${formatSize(MAX_CONFIG_BYTES)}, which no configuration is`);
}

function decoded(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const { line, column } = firstInvalidPlace(bytes);
    throw new ConfigError(file, [{ line, column, path: '', message: 'not valid UTF-8' }]);
  }
}

/** The place after the text that is the same when invalid bytes are replaced and written again. */
function firstInvalidPlace(bytes: Buffer): { line: number; column: number } {
  const text = bytes.toString('utf8');
  const written = Buffer.from(text);
  let at = 0;
  while (at < bytes.length && bytes[at] === written[at]) at += 1;
  const lines = bytes.subarray(0, at).toString('utf8').split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').replace(/\ufffd+$/, '').length + 1 };
}
