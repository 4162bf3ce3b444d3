import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Command } from '../../src/cli/command.ts';
import { commandsFor } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { AuditailError } from '../../src/errors.ts';

function fakeTerminal(): Terminal & { out: string; err: string } {
  const terminal = {
    out: '',
    err: '',
    env: {},
    stdin: new PassThrough(),
    stdout: {
      write(text: string) {
        terminal.out += text;
        return true;
      },
    },
    stderr: {
      write(text: string) {
        terminal.err += text;
        return true;
      },
    },
  };
  return terminal;
}

const calls: unknown[] = [];
const noted = (name: string): Command => ({
  name,
  summary: `does ${name}`,
  description: `Does ${name} to the end.`,
  example: `auditail ${name} --count 3 a b`,
  arguments: [{ name: '[input...]', description: 'what to read' }],
  options: [
    { flags: '--count <n>', description: 'how many', default: 1, parse: count },
    { flags: '--mode <mode>', description: 'which way', choices: ['fast', 'safe'] },
    { flags: '--json', description: 'as JSON' },
  ],
  async handler({ options, operands }) {
    calls.push([name, options, operands]);
    return 1;
  },
});
const TEST_COMMANDS = [noted('scan'), noted('offsets list'), noted('offsets reset')];

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error('expected a whole number');
  return Number(text);
}

async function run(...line: string[]) {
  calls.length = 0;
  const terminal = fakeTerminal();
  const code = await runProgram(line, terminal, TEST_COMMANDS);
  return { code, out: terminal.out, err: terminal.err };
}

test('a command gets its options and operands, and gives the exit code', async () => {
  const { code } = await run('scan', '--count', '3', '--json', 'a', 'b');
  assert.equal(code, 1);
  assert.deepEqual(calls, [['scan', { count: 3, json: true }, ['a', 'b']]]);
});

test('commands of a group are found under it', async () => {
  await run('offsets', 'reset', '--mode', 'safe');
  assert.deepEqual(calls, [['offsets reset', { count: 1, mode: 'safe' }, []]]);
});

test('help goes to stdout and is no failure', async () => {
  for (const line of [['--help'], ['-h'], ['help'], ['offsets', '--help'], ['scan', '--help'], ['help', 'scan']]) {
    const { code, out, err } = await run(...line);
    assert.deepEqual({ code, err }, { code: 0, err: '' }, line.join(' '));
    assert.match(out, /^Usage: auditail/, line.join(' '));
  }
  const help = (await run('offsets', 'list', '--help')).out;
  assert.match(help, /Does offsets list to the end\./);
  assert.match(help, /Example:\n {2}auditail offsets list --count 3 a b\n/);
});

test('wrong usage is 2, with one sentence on stderr and a suggestion', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /^Usage: auditail/],
    [['offsets'], /^Usage: auditail offsets/],
    [['scn'], /^auditail: unknown command 'scn'\n\(Did you mean scan\?\)/],
    [['offsets', 'lst'], /^auditail: unknown command 'lst'\n\(Did you mean list\?\)/],
    [['scan', '--jsn'], /^auditail: unknown option '--jsn'\n\(Did you mean --json\?\)/],
    [['--versoin'], /^auditail: unknown option '--versoin'\n\(Did you mean --version\?\)/],
    [['scan', '--count', 'x'], /^auditail: option '--count <n>' argument 'x' is invalid\. expected a whole number/],
    [['scan', '--mode', 'slow'], /^auditail: .*Allowed choices are fast, safe\./],
    [['scan', '--count'], /^auditail: option '--count <n>' argument missing/],
  ];
  for (const [line, message] of wrong) {
    const { code, out, err } = await run(...line);
    assert.deepEqual({ code, out }, { code: 2, out: '' }, line.join(' '));
    assert.match(err, message);
    assert.deepEqual(calls, []);
  }
});

test('operands that no command takes are wrong usage', async () => {
  const terminal = fakeTerminal();
  assert.equal(await runProgram(['check', '-c', 'x', 'y'], terminal), 2);
  assert.match(terminal.err, /too many arguments/);
});

test('the version is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal((await run('--version')).out, `${version}\n`);
  assert.equal((await run('-V')).out, `${version}\n`);
});

test('what a command throws is the caller’s', async () => {
  const failing: Command = {
    ...noted('fail'),
    async handler() {
      throw new AuditailError('STATE_OPEN', 'cannot open');
    },
  };
  await assert.rejects(runProgram(['fail'], fakeTerminal(), [failing]), { code: 'STATE_OPEN' });
});

test('a command line loads the command that it names, and anything else loads all', async () => {
  const namesFor = async (...line: string[]) => (await commandsFor(line)).map(({ name }) => name);
  assert.deepEqual(await namesFor('run', '-c', 'x'), ['run']);
  assert.deepEqual(await namesFor('offsets', 'list', '--json'), ['offsets list']);
  const all = await namesFor('--help');
  for (const line of [['rn'], ['offsets'], ['offsets', 'lst'], ['toString'], ['help', 'run']]) {
    assert.deepEqual(await namesFor(...line), all, line.join(' '));
  }
  for (const name of all) assert.deepEqual(await namesFor(...name.split(' ')), [name]);
});

test('every command of the program has help with an example that names it', async () => {
  for (const { name, example } of await commandsFor([])) {
    const terminal = fakeTerminal();
    assert.equal(await runProgram([...name.split(' '), '--help'], terminal), 0, name);
    assert.ok(terminal.out.includes(`Usage: auditail ${name} `), name);
    assert.ok(
      example.split('\n').every((line) => line.includes(`auditail ${name}`) && terminal.out.includes(line)),
      name,
    );
  }
});
