import { setTimeout as sleep } from 'node:timers/promises';
import { findLogrotate } from '../test/helpers/logrotate.ts';
import type { LineMaker } from './line-maker.ts';
import type { LogStep } from './plan.ts';
import type { FaultTally } from './tally.ts';
import type { TorturedLog } from './tortured-log.ts';

export interface LogNemesisDeps {
  readonly log: TorturedLog;
  readonly lines: LineMaker;
  readonly tally: FaultTally;
  /** Lets the agent say what it has seen, before something is destroyed. */
  probe(): Promise<void>;
  /** Lets the agent read and deliver what there is, as far as it is able to. */
  catchUp(): Promise<void>;
}

/** Before every second time that unread lines are destroyed the agent may catch up: else little would be left to check. */
async function beforeDestruction({ kind }: LogStep, { tally, probe, catchUp }: LogNemesisDeps): Promise<void> {
  if ((tally.done.get(kind) ?? 0) % 2 === 0) await catchUp();
  await probe();
}

/** Does to the log what the plan says. */
export async function performLogStep(step: LogStep, deps: LogNemesisDeps): Promise<void> {
  const { log, lines, tally, probe } = deps;
  const counted = (isDone = true): void => {
    if (isDone) tally.count(step.kind === 'rotate' ? `rotate: ${step.style}` : step.kind);
  };
  switch (step.kind) {
    case 'rotate':
      if (step.style.startsWith('logrotate') && findLogrotate() === undefined) {
        return tally.leaveOut(`rotate: ${step.style}`, 'logrotate is not installed');
      }
      await probe();
      log.rotate(step.style);
      return counted();
    case 'burst':
      await probe();
      for (let i = 0; i < step.rotations; i++) {
        log.rotate('rename');
        log.write(Array.from({ length: step.lines }, () => lines.event()));
      }
      if (step.keep !== undefined) log.deleteOldest(step.keep);
      return counted();
    case 'gzip slowly': {
      const gzip = log.beginGzip();
      if (gzip === undefined) return;
      const piece = Math.ceil(gzip.left / (step.pieces + 1));
      for (let i = 0; i < step.pieces; i++) {
        gzip.step(piece);
        await sleep(step.pauseMs);
      }
      log.endGzip(gzip, step);
      return counted();
    }
    case 'delete the oldest backups':
      await beforeDestruction(step, deps);
      return counted(log.deleteOldest(step.keep) > 0);
    case 'truncate':
      await beforeDestruction(step, deps);
      log.truncate();
      return counted();
    case 'copytruncate with a writer between':
      await probe();
      log.copyAndTruncate(Array.from({ length: step.lines }, () => lines.event()));
      return counted();
    case 'cut back by a power loss':
      await probe();
      return counted(log.cutBack(step.lines, step.within));
    case 'symlink to another file':
      await beforeDestruction(step, deps);
      log.linkElsewhere();
      await sleep(step.forMs);
      log.linkBack();
      return counted();
    case 'delete and recreate the directory':
      await beforeDestruction(step, deps);
      log.deleteDirectory();
      await sleep(step.goOnMs);
      log.recreateDirectory();
      return counted();
    case 'delete the live file':
      await beforeDestruction(step, deps);
      log.deleteLive();
      await sleep(step.goOnMs);
      log.reopen();
      return counted();
    case 'writer dies within a line':
      finishFragment(deps);
      log.dieWithin(lines.event(), step.within);
      if (step.rotate) log.rotate('rename');
      return counted();
    case 'garbage lines':
      finishFragment(deps);
      log.write(Array.from({ length: step.lines }, () => lines.garbage()));
      return counted();
    case 'very long lines':
      finishFragment(deps);
      log.write(step.bytes.map((bytes) => lines.event(bytes)));
      return counted();
    case 'another writer':
      log.replaceWriter(step);
      return counted();
  }
}

/** What is glued to a fragment is an event, so that it is known what becomes of both. */
export function finishFragment({ log, lines }: Pick<LogNemesisDeps, 'log' | 'lines'>): void {
  if (log.hasFragment) log.write([lines.event()]);
}
