import { Argument, Command as CommanderCommand, CommanderError, InvalidArgumentError, Option } from 'commander';
import { packageVersion } from '../package-version.ts';
import type { Command, CommandOption, ExitCode } from './command.ts';
import { commandsFor, GROUPS } from './commands.ts';
import type { Terminal } from './terminal.ts';

/** Runs one command line (without the program's own name) and gives its exit code. Throws what the command throws. */
export async function runProgram(
  line: readonly string[],
  terminal: Terminal,
  commands?: readonly Command[],
): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = buildProgram(terminal, commands ?? (await commandsFor(line)), (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(line, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has printed already; its help on request is 0, and all else is wrong usage.
    return error.exitCode === 0 ? 0 : 2;
  }
  return exitCode;
}

function buildProgram(
  terminal: Terminal,
  commands: readonly Command[],
  done: (code: ExitCode) => void,
): CommanderCommand {
  const program = new CommanderCommand('auditail')
    .description(
      'Tails the kube-apiserver’s audit log through every rotation into per-namespace gzip files, each line exactly once.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'auditail: ')),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('Run it with --help to see what it takes.')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed while running, 2 wrong usage or invalid configuration.');
  const groups = new Map<string, CommanderCommand>();
  for (const command of commands) {
    const [first, second] = command.name.split(' ') as [string, string | undefined];
    if (second === undefined) {
      addCommand(program, first, command, terminal, done);
      continue;
    }
    const group = groups.get(first) ?? program.command(first).description(GROUPS[first] ?? '');
    groups.set(first, group);
    addCommand(group, second, command, terminal, done);
  }
  return program;
}

function addCommand(
  parent: CommanderCommand,
  name: string,
  command: Command,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  const built = parent.command(name).summary(command.summary).description(command.description);
  for (const { name: argument, description } of command.arguments ?? []) {
    built.addArgument(new Argument(argument, description));
  }
  for (const option of command.options) built.addOption(buildOption(option));
  const example = command.example.replace(/^/gm, '  ');
  built.addHelpText('after', `\n${command.example.includes('\n') ? 'Examples' : 'Example'}:\n${example}`);
  built.action(async () => {
    done(await command.handler({ options: built.opts(), operands: built.args, terminal }));
  });
}

function buildOption(given: CommandOption): Option {
  const option = new Option(given.flags, given.description);
  if (given.required === true) option.makeOptionMandatory();
  if (given.default !== undefined) option.default(given.default);
  if (given.choices !== undefined) option.choices(given.choices);
  const parse = given.parse;
  if (parse !== undefined) {
    option.argParser((text) => {
      try {
        return parse(text);
      } catch (error) {
        throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
      }
    });
  }
  return option;
}
