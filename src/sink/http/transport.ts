/** An answer. */
export interface HttpResponse {
  readonly status: number;
  /** By name in lower case; of a repeated one the first. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body, as far as it was read. */
  readonly body: Buffer;
  /** Whether the body was read to its end: it is cut where it is larger than the transport's limit, or broke off. */
  readonly complete: boolean;
  /** It is cut because it is larger than the transport's limit: the receiver had more to say, and may be well. */
  readonly isTooLong: boolean;
}

export type TransportErrorKind = 'unreachable' | 'broken' | 'untrusted';

/**
 * No answer came.
 *
 * `unreachable`: refused, timed out, not resolved. `broken`: the connection was lost while the request was under way,
 * which may be about the request, such as its size. `untrusted`: TLS could not be agreed on, or the certificate
 * is not one to trust; somebody has to mend that.
 */
export class TransportError extends Error {
  readonly kind: TransportErrorKind;

  constructor(kind: TransportErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** Sends request bodies to one receiver. */
export interface Transport {
  /**
   * Sends one uncompressed body (it is compressed on the way as configured) and reads the answer.
   *
   * @throws TransportError when no answer came; the signal's reason when that aborted it.
   */
  send(body: Buffer, signal: AbortSignal): Promise<HttpResponse>;
  /** Lets requests in flight end, then closes the connections. May be repeated. */
  close(): Promise<void>;
}
