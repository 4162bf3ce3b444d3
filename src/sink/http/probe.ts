import { type HttpResponse, type Transport, TransportError } from './transport.ts';

/** What a receiver says to a request that holds no events. Undefined: that question was not reached. */
export interface ProbeResult {
  /** Whether events would be taken, as far as that can be told without one. */
  readonly ok: boolean;
  readonly reachable: boolean | undefined;
  readonly trusted: boolean | undefined;
  readonly authorised: boolean | undefined;
  /** One sentence, without a full stop. It holds no more of a URL than its origin. */
  readonly finding: string;
}

const NO_BODY = Buffer.alloc(0);

/**
 * Asks a receiver whether it would take events: with a POST to the configured endpoint that has everything but events.
 *
 * It must be a POST: Elasticsearch answers other methods with 405 before it looks at credentials. Nothing is stored,
 * since an empty body is no event in any format; receivers answer 400 or 2xx to it once they have let it in.
 *
 * @throws the signal's reason.
 */
export async function probe(transport: Transport, signal: AbortSignal): Promise<ProbeResult> {
  try {
    return judge(await transport.send(NO_BODY, signal));
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const { kind, message } = error;
    // What is untrusted may not even have been called: a file that cannot be read is as much in the way.
    const answers =
      kind === 'untrusted' ? { reachable: undefined, trusted: false } : { reachable: false, trusted: undefined };
    return { ok: false, ...answers, authorised: undefined, finding: message };
  }
}

function judge({ status }: HttpResponse): ProbeResult {
  const answered = { reachable: true, trusted: true };
  if (status === 401 || status === 403) {
    return { ok: false, ...answered, authorised: false, finding: `reachable, but not authorised (${status})` };
  }
  if (status === 404 || status === 405 || (status >= 300 && status < 400)) {
    const finding = `reachable, but events are not taken at this path (${status}); check url`;
    return { ok: false, ...answered, authorised: undefined, finding };
  }
  if (status === 408 || status === 429 || status >= 500) {
    const finding = `reachable, but it cannot take events now (${status})`;
    return { ok: false, ...answered, authorised: undefined, finding };
  }
  return { ok: true, ...answered, authorised: true, finding: `reachable, trusted and authorised (${status})` };
}
