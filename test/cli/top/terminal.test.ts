import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { noTmux, TmuxTerminal } from '../../helpers/tmux-terminal.ts';
import { auditail, MAIN } from '../cli-process.ts';
import { FakeAgent } from './fake-agent.ts';
import { fileSink, httpSink, source } from './views.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'auditail-top-'));
after(() => rmSync(directory, { recursive: true }));

const SCREEN = path.resolve(import.meta.dirname, '../../../src/cli/top/screen.ts');

const READY = /: running, ready/;
const KEYS = /^q quit {3}p pause/m;

function quoted(...words: string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}

/** The command line of `top`. */
function top(address: string, ...options: string[]): string {
  return quoted(process.execPath, MAIN, 'top', '--address', address, '--interval', '100ms', ...options);
}

/** Starts `top` in a shell that says how it ended. */
async function started(screen: TmuxTerminal, agent: FakeAgent, env = ''): Promise<void> {
  screen.type('clear; before=$(stty -g); echo before');
  await screen.until(/^before$/m);
  screen.type(`(echo $BASHPID >'${pidFile(screen)}'; ${env} exec ${top(agent.address)}); echo "ended with $?"`);
  await screen.until(READY);
  assert.match(screen.text(), KEYS);
  assert.deepEqual([screen.variable('alternate_on'), screen.variable('cursor_flag')], ['1', '0']);
}

function pidOf(screen: TmuxTerminal): number {
  return Number(readFileSync(pidFile(screen), 'utf8'));
}

function pidFile(screen: TmuxTerminal): string {
  return path.join(directory, screen.variable('pane_pid'));
}

/** The first screen is back, with its cursor, and keys are echoed and wait for Enter again. */
async function assertRestored(screen: TmuxTerminal, end: RegExp): Promise<void> {
  const text = await screen.until(end);
  assert.match(text, /^before$/m);
  assert.doesNotMatch(text, KEYS);
  assert.deepEqual([screen.variable('alternate_on'), screen.variable('cursor_flag')], ['0', '1']);
  screen.type('[ "$before" = "$(stty -g)" ] && echo "the same"');
  await screen.until(/^the same$/m);
}

test('q, Esc and Ctrl-C leave, and bring the terminal back as it was', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  for (const key of ['q', 'Escape', 'C-c']) {
    await started(screen, agent);
    screen.press(key);
    await assertRestored(screen, /^ended with 0$/m);
  }
});

test('an arrow key, which begins as Esc does, does not leave', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  await started(screen, agent);
  for (const key of ['Up', 'F5', 'x']) screen.press(key);
  screen.press('s');
  await screen.until(/s sort by attention/);
});

test('a signal ends it, and the terminal is as it was', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  for (const [signal, code] of [
    ['TERM', 143],
    ['INT', 130],
    ['HUP', 129],
  ] as const) {
    await started(screen, agent);
    process.kill(pidOf(screen), `SIG${signal}`);
    // After an interrupt bash does not go on with the line.
    if (signal === 'INT') {
      await screen.until(/^\$ *$/m);
      screen.type('echo "ended with $?"');
    }
    await assertRestored(screen, new RegExp(`^ended with ${code}$`, 'm'));
  }
});

test('Ctrl-Z gives the terminal back, and fg goes on', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  await started(screen, agent);
  screen.press('C-z');
  await screen.until(/Stopped/);
  await assertRestored(screen, /^before$/m);
  screen.type('clear; echo before; fg; echo "in the end $?"');
  await screen.until(KEYS);
  screen.press('q');
  await assertRestored(screen, /^in the end 0$/m);
});

test('one that was stopped from outside goes on, on a screen that others wrote on', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  await started(screen, agent);
  process.kill(pidOf(screen), 'SIGSTOP');
  await screen.until(/Stopped/);
  screen.type('clear; fg; echo "in the end $?"');
  await screen.until(/since the start\n{2,}q quit/);
  screen.press('q');
  await assertRestored(screen, /^in the end 0$/m);
});

test('an error inside leaves the first screen with the error on it', { skip: noTmux }, async () => {
  using screen = new TmuxTerminal({ columns: 100, rows: 24 });
  screen.type('clear; before=$(stty -g); echo before');
  await screen.until(/^before$/m);
  // As the program does it, which ends with any error that nobody caught.
  const script =
    `const { Screen } = await import("${SCREEN}");` +
    'process.on("uncaughtException", (error) => { console.error(error.message); process.exit(1); });' +
    'const { stdin: input, stdout: output } = process;' +
    'const screen = new Screen({ input, output, hasColors: false }, { key() {}, redraw() {} });' +
    'screen.open(); screen.draw([[{ text: "drawn" }]]);' +
    'process.stdin.once("keypress", () => setImmediate(() => { throw new Error("it broke"); }));';
  screen.type(`${quoted(process.execPath, '--input-type=module', '-e', script)}; echo "ended with $?"`);
  await screen.until(/^drawn$/m);
  screen.press('x');
  assert.match(await screen.until(/^ended with 1$/m), /^it broke$/m);
  await assertRestored(screen, /^ended with 1$/m);
});

test('the screen follows the size of the terminal', { skip: noTmux }, async () => {
  const names = Array.from({ length: 30 }, (_, index) => `sink-${String(index).padStart(2, '0')}`);
  await using agent = await FakeAgent.start({
    sources: [source('apiserver')],
    sinks: names.map((name) => httpSink(name)),
  });
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  await started(screen, agent);
  // The keys stand on the last row, and what only this size has room for above. While a screen is drawn it may hold both.
  const shown = async (columns: number, rows: number, pattern: RegExp) => {
    screen.resize(columns, rows);
    const text = await screen.until(
      new RegExp(`^(?=[\\s\\S]*${pattern.source})(?:(?!q quit).*\\n){${rows - 1}}q quit.*\\n$`),
    );
    assert.equal(text.split('\n').length - 1, rows);
  };
  await shown(120, 40, /sink-00 .* https:\/\/sink-00\.example\n/);
  await shown(40, 10, /\nsink-01 .*\n… 28 more\nno warning/);
  await shown(80, 50, /\nsink-29 .*\n/);
  await shown(20, 5, /\nq quit {3}p pause\n$/);
  await shown(80, 24, /every 100ms\n$/);
});

test('p and the space bar pause, and go on', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  await started(screen, agent);
  for (const key of ['p', 'Space']) {
    screen.press(key);
    await screen.until(/^paused, 1 s old {3}q quit {3}p go on/m);
    const asked = agent.asked;
    await screen.until(/^paused, 2 s old/m);
    assert.equal(agent.asked, asked);
    screen.press(key);
    await screen.until(KEYS);
    while (agent.asked === asked) await sleep(10);
  }
});

test('an agent that does not answer is told, and does not hold up the keys', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  await started(screen, agent);
  agent.isStuck = true;
  await screen.until(/^no answer yet; what was known [2-9] s ago:$/m);
  screen.press('q');
  await assertRestored(screen, /^ended with 0$/m);
});

test('what an agent says cannot do anything to the terminal, and wide characters keep their columns', {
  skip: noTmux,
}, async () => {
  const hostile = '\u001b]2;owned\u0007\u001b[2J\u001b[?1049l\r\n\t';
  await using agent = await FakeAgent.start({
    program: `${hostile}auditail`,
    sources: [source(`日本語${hostile}`, { path: hostile }), source('plain', { path: '/plain' })],
    sinks: [fileSink('監査ログ', { directory: hostile }), fileSink('plain', { directory: '/plain' })],
    troubles: [
      { level: 'error', message: hostile, sink: null, source: null, fields: {}, first: '', last: '', count: 1 },
    ],
  });
  using screen = new TmuxTerminal({ columns: 160, rows: 24 });
  await started(screen, agent);
  // The last line that is drawn.
  const text = await screen.until(/ error \\x1b\]2;owned\\x07\\x1b\[2J/);
  assert.equal(screen.variable('alternate_on'), '1');
  assert.doesNotMatch(screen.variable('pane_title'), /owned/);
  const lines = text.split('\n');
  // Each of these four characters takes two columns, which are one in the text.
  assert.equal(lines.find((line) => line.startsWith('監査ログ'))!.indexOf('2 open') + 4, 'plain     '.length);
  assert.equal(
    lines
      .filter((line) => line.startsWith('plain'))
      .at(-1)!
      .indexOf('2 open'),
    'plain     '.length,
  );
});

test('colours are for terminals that want them', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  using screen = new TmuxTerminal({ columns: 80, rows: 24 });
  await started(screen, agent);
  assert.match(screen.coloredText(), /\u001b\[32mready/);
  screen.press('q');
  await assertRestored(screen, /^ended with 0$/m);
  await started(screen, agent, 'NO_COLOR=1');
  assert.doesNotMatch(screen.coloredText(), /\u001b/);
});

test('where there is no whole terminal it refuses, and says what does the same', { skip: noTmux }, async () => {
  await using agent = await FakeAgent.start();
  const { code, stdout, stderr } = await auditail(['top', '--address', agent.address]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.equal(
    stderr,
    'auditail: auditail top draws on a whole terminal, and this is none. auditail status shows the same once, ' +
      'auditail status --json for programs\n',
  );
  using screen = new TmuxTerminal({ columns: 200, rows: 24 });
  for (const [before, behind] of [
    ['TERM=dumb', ''],
    ['', '| cat'],
    ['', '< /dev/null'],
  ]) {
    screen.type(`clear; ${before} ${top(agent.address)} ${behind}; echo "ended with \${PIPESTATUS[0]}"`);
    const text = await screen.until(/^ended with 2$/m);
    assert.match(text, /this is none\. auditail status shows the same once/);
    assert.equal(agent.asked, 0);
  }
});

test('intervals are durations that an agent can bear', async () => {
  for (const interval of ['2', '99ms', '0s', '2d', 'fast']) {
    const { code, stderr } = await auditail(['top', '--interval', interval]);
    assert.equal(code, 2, interval);
    assert.match(stderr, /expected a duration such as 500ms or 5s, from 100ms to 1d/);
  }
});
