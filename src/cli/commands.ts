import { check } from './check.ts';
import type { Command } from './command.ts';
import { convert } from './convert.ts';
import { deadletterDrop } from './deadletter-drop.ts';
import { deadletterList } from './deadletter-list.ts';
import { deadletterResend } from './deadletter-resend.ts';
import { dryRun } from './dry-run.ts';
import { offsetsForgetSink } from './offsets-forget-sink.ts';
import { offsetsImport } from './offsets-import.ts';
import { offsetsList } from './offsets-list.ts';
import { offsetsRenameSink } from './offsets-rename-sink.ts';
import { offsetsReset } from './offsets-reset.ts';
import { run } from './run.ts';
import { status } from './status.ts';
import { top } from './top.ts';

/** All commands, in the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  run,
  dryRun,
  check,
  status,
  top,
  convert,
  offsetsList,
  offsetsReset,
  offsetsImport,
  offsetsRenameSink,
  offsetsForgetSink,
  deadletterList,
  deadletterResend,
  deadletterDrop,
];

/** What help says of the groups that commands such as `offsets list` stand in. */
export const GROUPS: Readonly<Record<string, string>> = {
  offsets: 'what each sink has taken of each log',
  deadletter: 'the events that receivers rejected',
};
