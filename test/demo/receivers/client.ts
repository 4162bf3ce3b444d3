import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';

/** Long enough, also on a loaded machine, for whatever comes at all. */
const TIMEOUT_MS = 5000;

/** Bytes of an answer after which a client stops reading. */
const ENOUGH_BYTES = 1_000_000;

export interface SendOptions {
  readonly headers?: http.OutgoingHttpHeaders;
  readonly timeoutMs?: number;
}

export interface Outcome {
  readonly status?: number;
  readonly headers?: http.IncomingHttpHeaders;
  readonly body: string;
  /** How it ended: `whole`, `timeout`, `enough` for a body that is too large, or the code of an error. */
  readonly end: string;
}

/** One request over a connection of its own, read until it ends, the client has enough, or gives up. */
export async function send(
  url: string,
  type: string,
  body: Buffer | string,
  options: SendOptions = {},
): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let answer: IncomingMessage | undefined;
  const outcome = (end: string): Outcome => ({
    ...(answer === undefined ? {} : { status: answer.statusCode!, headers: answer.headers }),
    body: Buffer.concat(chunks).toString(),
    end,
  });
  const signal = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const client = url.startsWith('https:') ? https : http;
  const request = client.request(url, {
    method: 'POST',
    agent: false,
    signal,
    rejectUnauthorized: false,
    headers: { 'content-type': type, ...options.headers },
  });
  try {
    request.end(body);
    [answer] = (await once(request, 'response')) as [IncomingMessage];
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > ENOUGH_BYTES) return outcome('enough');
    }
    return outcome('whole');
  } catch (error) {
    return outcome(signal.aborted ? 'timeout' : ((error as NodeJS.ErrnoException).code ?? String(error)));
  } finally {
    request.destroy();
  }
}
