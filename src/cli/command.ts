import type { Terminal } from './terminal.ts';

/** 0: done; 1: failed while running; 2: wrong usage or invalid configuration. */
export type ExitCode = 0 | 1 | 2;

export interface CommandOption {
  /** As commander reads them: `-c, --config <file>`. */
  readonly flags: string;
  readonly description: string;
  readonly required?: boolean;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  /** Reads the value; throws an Error that says what was expected. */
  readonly parse?: (text: string) => unknown;
}

export interface CommandArgument {
  /** As commander reads it: `<file>`, `[file]`, `<file...>`. */
  readonly name: string;
  readonly description: string;
}

export interface Invocation<Options extends object> {
  readonly options: Options;
  /** What stood behind the options; that of a `...` argument included, in order. */
  readonly operands: readonly string[];
  readonly terminal: Terminal;
}

/**
 * A command is data: {@link buildProgram} makes commander's tree of it. `name` with a space (`offsets list`) is a command
 * in a group. `example` is one or more lines to type.
 */
export interface Command<Options extends object = object> {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly example: string;
  readonly arguments?: readonly CommandArgument[];
  readonly options: readonly CommandOption[];
  /** Prints to the terminal and gives the exit code. What it throws is printed as one sentence. */
  handler(invocation: Invocation<Options>): Promise<ExitCode>;
}
