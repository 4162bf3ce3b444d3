import { statePath } from '../../checkpoint/database.ts';
import { AuditailError } from '../../errors.ts';

export function stateMissing(stateDir: string): AuditailError {
  const file = statePath(stateDir);
  return new AuditailError('STATE_MISSING', `there is no state database ${file}: nothing was started with it yet`, {
    hint:
      'Start the agent with this configuration, name the configuration that it runs with, or take over the places of ' +
      'fluentd or Fluent Bit with: auditail offsets import',
  });
}
