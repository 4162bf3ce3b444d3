import type { HttpSinkConfig } from '../../config/types.ts';
import { createChannel } from '../../sink/http/channel.ts';
import { type ProbeResult, probe } from '../../sink/http/probe.ts';

/** Asks a sink's receiver as the agent would; what it takes longer for than the sink's `timeout` is no answer. */
export async function probeSink(sink: HttpSinkConfig): Promise<ProbeResult> {
  const { transport } = createChannel(sink, { now: Date.now });
  try {
    // The transport has the same limit, and says more when it is reached; this one is for what it does not see.
    return await probe(transport, AbortSignal.timeout(2 * sink.timeoutMs));
  } finally {
    await transport.close();
  }
}
