import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentLives } from './agent-lives.ts';
import type { AgentStep } from './plan.ts';
import type { FaultTally } from './tally.ts';

export interface AgentNemesisDeps {
  readonly lives: AgentLives;
  readonly tally: FaultTally;
  /** The configuration from now on. */
  change(variant: number): Readonly<Record<string, unknown>>;
  broken(variant: number): string;
}

/** Does to the agent what the plan says. */
export async function performAgentStep(step: AgentStep, deps: AgentNemesisDeps): Promise<void> {
  const { lives, tally, change, broken } = deps;
  switch (step.kind) {
    case 'SIGKILL':
      await lives.kill();
      await sleep(step.downMs);
      lives.start();
      break;
    case 'SIGKILL while it starts':
      await lives.kill();
      lives.start();
      await sleep(step.afterMs);
      await lives.kill();
      lives.start();
      break;
    case 'SIGTERM':
      await lives.stop();
      await sleep(step.downMs);
      lives.start();
      break;
    case 'SIGSTOP and SIGCONT':
      if (!lives.signal('SIGSTOP')) return;
      await sleep(step.forMs);
      lives.signal('SIGCONT');
      break;
    case 'SIGHUP with a changed configuration':
      if (!lives.reload(change(step.variant))) return;
      break;
    case 'SIGHUP with a broken configuration':
      if (!lives.reload(broken(step.variant))) return;
      break;
    case 'SIGUSR1':
      if (!lives.signal('SIGUSR1')) return;
      break;
    case 'a second agent':
      if (!(await lives.startSecond())) return;
      break;
  }
  tally.count(step.kind);
}
