import type { SourceHarness } from './source-harness.ts';

/** What happens to an agent and its sinks at their own pace, whatever stands in the log. `sink` is the place of one. */
export type HarnessStep =
  | { readonly op: 'poll'; readonly times: number }
  | { readonly op: 'room'; readonly sink: number; readonly hasRoom: boolean }
  | { readonly op: 'take'; readonly sink: number; readonly n: number }
  | { readonly op: 'reload'; readonly commits: boolean }
  | { readonly op: 'pass' | 'sweep' | 'commit' | 'rewind' | 'crash' | 'stop' };

/** Takes one step of a sequence. A dead agent starts again. */
export async function takeStep(step: HarnessStep, harness: SourceHarness): Promise<void> {
  switch (step.op) {
    case 'poll':
      for (let n = 0; n < step.times; n += 1) await harness.source.poll();
      break;
    case 'room':
      harness.paced[step.sink]!.hasRoom = step.hasRoom;
      break;
    case 'take':
      harness.paced[step.sink]!.take(step.n);
      break;
    case 'pass':
      harness.pass(3_000);
      break;
    case 'sweep':
      await harness.source.sweep();
      break;
    case 'reload':
      await harness.reload(step);
      break;
    case 'crash':
    case 'stop':
      await harness[step.op]();
      harness.start();
      break;
    default:
      await harness[step.op]();
  }
}
