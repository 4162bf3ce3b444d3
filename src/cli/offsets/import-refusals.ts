import { AuditailError } from '../../errors.ts';
import { processWith } from './open-by.ts';
import type { ImportPlan } from './plan-import.ts';

/** Why positions are not taken over; undefined when nothing speaks against it. */
export function refuseImport(
  plan: ImportPlan,
  options: { readonly file: string; readonly orHead: boolean; readonly replace: boolean },
): AuditailError | undefined {
  const { file } = options;
  const holder = processWith(file);
  if (holder !== undefined) {
    return new AuditailError('IMPORT_IN_USE', `${file} is in use by process ${holder.pid} (${holder.name})`, {
      hint: 'Nothing was changed. Stop that agent first: its positions are final only then',
    });
  }
  if (plan.streams.length === 0) {
    return new AuditailError('IMPORT_NOTHING', `${file} has no position of a log that a source reads`, {
      hint: 'Nothing was changed. Does the path of the source name the same log?',
    });
  }
  const [existing] = plan.existing;
  if (existing !== undefined && !options.replace) {
    const { sink, stream } = existing;
    return new AuditailError('USAGE', `the sink ${sink} has a place in ${stream} already, and nothing was changed`, {
      hint: 'If it is to go on where the other agent stopped instead, add --replace',
    });
  }
  const [unplaced] = plan.unplaced;
  if (unplaced !== undefined && !options.orHead) {
    const { stream, lost } = unplaced;
    const last = lost.at(-1)!;
    return new AuditailError(
      'IMPORT_UNPLACED',
      `the position of ${stream.path} cannot be placed: ${last.reason} (${last.position.place})`,
      {
        hint:
          'Nothing was changed. With --or-head, all that is there of the log is read from its head, and lines that the ' +
          'other agent had read come once more; offsets reset can then skip files',
      },
    );
  }
  return undefined;
}
