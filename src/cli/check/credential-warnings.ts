import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { IssuePath } from '../../config/config-error.ts';
import { FileSecret } from '../../config/secret.ts';
import type { HttpSinkConfig, Secret } from '../../config/types.ts';
import { describeError } from '../../errors.ts';
import { unreadable } from './access.ts';
import type { Warning } from './warning.ts';

/** Names of headers that carry credentials. */
const CREDENTIAL_HEADER = /authorization|token|secret|key/i;

/** What is wrong with how a sink keeps and sends its credentials. */
export function credentialWarnings(sink: HttpSinkConfig, at: IssuePath): Warning[] {
  return [
    ...clearTextWarnings(sink, at),
    ...secretFiles(sink).flatMap(({ key, secret }) => secretWarnings(secret, [...at, 'auth', ...key])),
    ...tlsWarnings(sink, [...at, 'tls']),
  ];
}

function clearTextWarnings({ url, auth, headers }: HttpSinkConfig, at: IssuePath): Warning[] {
  const { protocol, hostname } = new URL(url.reveal());
  if (protocol !== 'http:' || isLoopback(hostname)) return [];
  const header = Object.keys(headers).find((name) => CREDENTIAL_HEADER.test(name));
  if (auth === undefined && header === undefined) return [];
  const what = auth === undefined ? `the header ${header}` : 'the credentials of auth';
  return [{ path: [...at, 'url'], message: `sends ${what} over http:, for all on the way to read; use https:` }];
}

function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname) || /^(.+\.)?localhost$/.test(hostname);
}

/** Those secrets of `auth` that stand in files, with their keys below it. */
function secretFiles({ auth }: HttpSinkConfig): { key: IssuePath; secret: FileSecret }[] {
  const given: { key: IssuePath; secret: Secret }[] = [];
  if (auth?.kind === 'basic') given.push({ key: ['basic', 'password_file'], secret: auth.password });
  if (auth?.kind === 'bearer') given.push({ key: ['bearer_file'], secret: auth.token });
  if (auth?.kind === 'header') given.push({ key: ['header', 'value_file'], secret: auth.value });
  return given.flatMap(({ key, secret }) => (secret instanceof FileSecret ? [{ key, secret }] : []));
}

function secretWarnings(secret: FileSecret, at: IssuePath): Warning[] {
  try {
    secret.reveal();
  } catch (error) {
    return [{ path: at, message: describeError(error) }];
  }
  return openWarnings(secret.file, at);
}

function tlsWarnings({ tls: { caFile, certFile, keyFile } }: HttpSinkConfig, at: IssuePath): Warning[] {
  const files = Object.entries({ ca_file: caFile, cert_file: certFile, key_file: keyFile });
  const closed = files.flatMap(([key, file]): Warning[] => {
    const reason = file === undefined ? undefined : unreadable(file);
    return reason === undefined
      ? []
      : [{ path: [...at, key], message: `${file} is not readable by this user (${reason})` }];
  });
  return [...closed, ...(keyFile === undefined ? [] : openWarnings(keyFile, [...at, 'key_file']))];
}

function openWarnings(file: string, at: IssuePath): Warning[] {
  if (!isOpenToAll(file)) return [];
  return [{ path: at, message: `every user of this host may read ${file}; chmod 0600 closes it` }];
}

/** A file is as open as the directories above it. False also for one that cannot be looked at. */
function isOpenToAll(file: string): boolean {
  try {
    let current = realpathSync(file);
    if ((statSync(current).mode & 0o004) === 0) return false;
    while (current !== path.dirname(current)) {
      current = path.dirname(current);
      if ((statSync(current).mode & 0o001) === 0) return false;
    }
    return true;
  } catch {
    return false;
  }
}
