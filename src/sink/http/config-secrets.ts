import type { HttpSinkConfig, Secret } from '../../config/types.ts';
import type { Redact } from './reason-text.ts';

/** Shorter texts are no secrets worth the name, and would tear ordinary words apart. */
const MIN_LENGTH = 4;

/**
 * Replaces the secrets of a sink's configuration where a receiver echoes them: headers, credentials (also as they are
 * sent: base64, or a part behind `Splunk ` or `Bearer `), and the values of the URL's query.
 */
export function redactor(config: Pick<HttpSinkConfig, 'url' | 'headers' | 'auth'>): Redact {
  return (text) => {
    let redacted = text;
    for (const secret of secretTexts(config)) redacted = redacted.replaceAll(secret, '[secret]');
    return redacted;
  };
}

/** The longest first, so that no part of one is left over. Read anew each time, as files may have changed. */
function secretTexts({ url, headers, auth }: Pick<HttpSinkConfig, 'url' | 'headers' | 'auth'>): string[] {
  const texts: string[] = [];
  for (const header of Object.values(headers)) texts.push(...words(header));
  if (auth?.kind === 'basic') {
    const password = revealed(auth.password);
    texts.push(password, Buffer.from(`${auth.username}:${password}`).toString('base64'));
  }
  if (auth?.kind === 'bearer') texts.push(revealed(auth.token));
  if (auth?.kind === 'header') texts.push(...words(auth.value));
  for (const value of URL.parse(revealed(url))?.searchParams.values() ?? []) texts.push(value);
  const escaped = texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)]);
  return [...new Set(escaped)].filter((text) => text.length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
}

/** A header's value, and its last word: a receiver may name the token without its scheme. */
function words(secret: Secret): string[] {
  const text = revealed(secret);
  return [text, text.slice(text.lastIndexOf(' ') + 1)];
}

/** A file that cannot be read now is the transport's error to tell. */
function revealed(secret: Secret): string {
  try {
    return secret.reveal();
  } catch {
    return '';
  }
}
