import type { HttpSinkConfig, Secret } from '../../config/types.ts';
import type { Redact } from './reason-text.ts';

/** Shorter texts are no secrets worth the name, and would tear ordinary words apart. */
const MIN_LENGTH = 4;

/** A bulk answer may have thousands of reasons, and each look at a secret may be one at its file. */
const REREAD_MS = 1000;

/** Where a sink's configuration may hold secrets that a receiver gets to see. */
type Config = Pick<HttpSinkConfig, 'url' | 'headers' | 'auth' | 'proxy'>;

/**
 * Replaces the secrets of a sink's configuration where a receiver or a proxy echoes them: headers, credentials (also as
 * they are sent: base64, or a part behind `Splunk ` or `Bearer `), and all of the URL behind its origin.
 *
 * @param now milliseconds since the epoch; secrets are read again after a second, as their files may have changed
 */
export function redactor(config: Config, now: () => number): Redact {
  let texts: readonly string[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return (text) => {
    const time = now();
    if (Math.abs(time - readAt) >= REREAD_MS) {
      texts = secretTexts(config);
      readAt = time;
    }
    let redacted = text;
    for (const secret of texts) redacted = redacted.replaceAll(secret, '[secret]');
    return redacted;
  };
}

/** The longest first, so that no part of one is left over. */
function secretTexts({ url, headers, auth, proxy }: Config): string[] {
  const texts = Object.values(headers).flatMap(words);
  if (auth?.kind === 'basic') texts.push(...passwordForms(auth.username, revealed(auth.password)));
  if (auth?.kind === 'bearer') texts.push(revealed(auth.token));
  if (auth?.kind === 'header') texts.push(...words(auth.value));
  const target = URL.parse(revealed(url));
  if (target !== null) texts.push(target.pathname, target.search, ...target.searchParams.values());
  const through = proxy === undefined ? null : URL.parse(revealed(proxy));
  if (through !== null) texts.push(...passwordForms(decoded(through.username), decoded(through.password)));
  const forms = texts.flatMap((text) => [text, decoded(text), JSON.stringify(text).slice(1, -1), encoded(text)]);
  return [...new Set(forms)].filter((text) => text.length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
}

/** A header's value, and its last word: a receiver may name the token without its scheme. */
function words(secret: Secret): string[] {
  const text = revealed(secret);
  return [text, text.slice(text.lastIndexOf(' ') + 1)];
}

/** RFC 7617: what is sent is base64 of both. */
function passwordForms(username: string, password: string): string[] {
  return password === '' ? [] : [password, Buffer.from(`${username}:${password}`).toString('base64')];
}

/** A file that cannot be read now is the transport's error to tell. */
function revealed(secret: Secret): string {
  try {
    return secret.reveal();
  } catch {
    return '';
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
