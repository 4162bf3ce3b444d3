import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Condition, DESCRIPTIONS } from './condition-plan.ts';
import type { DemoReceiver } from './demo-receiver.ts';
import { directorySize } from './directory-size.ts';
import { count, type Screen, size } from './screen.ts';
import type { WriterProcess } from './writer-process.ts';

/** A line about how things are now. */
type Look = () => Promise<string>;

/** Shows the lines below each other until the returned function is called. */
export function watch(screen: Screen, looks: readonly Look[]): () => void {
  let stopped = looks.length === 0;
  const show = async (): Promise<void> => {
    while (!stopped) {
      const lines = await Promise.all(looks.map((look) => look()));
      if (stopped) return;
      screen.live(() => lines.join('\n'));
      await sleep(screen.isTTY ? 100 : 1000);
    }
  };
  // Only for show: what it might stumble over, the scenario itself reports.
  show().catch(() => {});
  return () => {
    stopped = true;
    screen.endLive();
  };
}

/** How far writer and archive are. */
export function writerProgress(
  screen: Screen,
  { writer, archive, events }: { writer: WriterProcess; archive: string; events: number },
): Look {
  const started = performance.now();
  return async () => {
    const stored = await directorySize(archive);
    const { progress } = writer;
    const rate = `${size((progress.bytes / (performance.now() - started)) * 1000)}/s`;
    return (
      `${screen.bar(progress.events / events)}${count(progress.events)} events, ${rate}, ` +
      `${progress.rotations} rotations → archive: ${size(stored.bytes)} in ${stored.files} files`
    );
  };
}

/** What a receiver holds, what waits for it on disk, and how it is. */
export function receiverProgress(screen: Screen, receiver: DemoReceiver, stateDirectory: string): Look {
  const { name } = receiver;
  return async () => {
    const spool = await directorySize(join(stateDirectory, 'spool', name));
    const condition = describeCondition(screen, receiver.condition);
    return `${name}: ${count(receiver.stored)} received, ${size(spool.bytes)} spooled, ${condition}`;
  };
}

/** A condition in words, coloured. */
export function describeCondition(screen: Screen, condition: Condition): string {
  const colour = condition === 'well' ? 'green' : condition === 'closed' ? 'red' : 'yellow';
  return screen.style(colour, DESCRIPTIONS[condition]);
}
