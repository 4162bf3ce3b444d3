import type { Readable } from 'node:stream';

/** A stream that text, or bytes as they are, are printed to; with `isTTY` when a person reads along. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string | Uint8Array): boolean;
}

/** What a command sees of the process it runs in. `process` itself is one. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
}
