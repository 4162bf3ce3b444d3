// The agent with a sink for every format, each to a program of somebody else behind TLS, through rotations and a crash.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AuditEvents } from '../../bench/audit-events.ts';
import type { AgentProcess } from '../helpers/agent-process.ts';
import { AuditWebhook } from './audit-webhook.ts';
import { Loki } from './loki.ts';
import { findNginx } from './nginx.ts';
import { OtelCollector } from './otel-collector.ts';
import { collectorPairs, lokiPairs, type Pair, telegrafPair, victoriaPairs, webhookPair } from './pairs.ts';
import { findBuilt, PROGRAMS, type ProgramName } from './programs.ts';
import { PATIENCE_MS, Site } from './site.ts';
import type { Tally } from './tally.ts';
import { Telegraf } from './telegraf.ts';
import { VictoriaLogs } from './victoria-logs.ts';

const EVENTS = 20_000;
/** Lines written at a time. */
const PIECE = 500;
const PIECES_BETWEEN_ROTATIONS = 6;
const MINUTE_MS = 60_000;

/** Every sink has had some requests answered when the agent is killed, and has more than that to send. */
const ANSWERED_BEFORE_CRASH = 3;

test('every event reaches every receiver at least once, through rotations and a crash', async (t) => {
  const nginx = findNginx();
  if (nginx === undefined) return t.skip('there is no nginx: node test/servers/build.ts says why');
  const nowMs = Date.now();
  await using receivers = new AsyncDisposableStack();
  const pairs = await startAll(t, receivers, nowMs - 60 * MINUTE_MS, nowMs + 60 * MINUTE_MS);
  if (pairs.length === 0) return t.skip('no receiver is built: node test/servers/build.ts says why');
  await using site = await Site.start(nginx, pairs);
  const events = new AuditEvents({ count: EVENTS, startMs: nowMs - 10 * MINUTE_MS, spanMs: 9 * MINUTE_MS });
  const log = new Log(site, [...events]);

  const first = site.startAgent();
  log.write(0.4);
  await first.waitFor(
    'requests of every sink',
    () => pairs.every((pair) => site.accepted(pair) >= ANSWERED_BEFORE_CRASH),
    PATIENCE_MS,
  );
  log.write(0.6);
  await goesOn(site, first);
  await first.kill();
  log.write(0.8);
  const second = site.startAgent();
  log.write(1);
  await goesOn(site, second);
  assert.deepEqual(await second.stop(), { code: 0, signal: null });
  const last = await site.runToEnd();
  assert.equal(last.code, 0, JSON.stringify(last.log.at(-1)));

  const tallies = new Map<Pair, Tally>();
  for (const pair of pairs) tallies.set(pair, await site.tally(pair));
  for (const line of table(site, tallies)) t.diagnostic(line);
  const rejections = [...first.log, ...second.log, ...last.log].filter(({ event }) => event === 'dead_letter');
  for (const [pair, { found, missing, foreign, mistimed }] of tallies) {
    const lost = `${pair.name} lacks ${missing.length}, such as ${missing[0]}. Dead letters: ${JSON.stringify(rejections)}`;
    assert.equal(missing.length, 0, lost);
    assert.equal(found, EVENTS, pair.name);
    assert.deepEqual(foreign.slice(0, 3), [], `${pair.name} has what was not written`);
    assert.deepEqual(mistimed.slice(0, 3), [], `${pair.name} has other times`);
    const certified = site.answered(pair).every((request) => request.certified === pair.mutual);
    assert.ok(certified, `${pair.name}: client certificate ${pair.mutual ? 'not ' : ''}shown`);
  }
  assert.deepEqual(rejections, []);
});

/** Starts the receivers that are built, and names those that are not. */
async function startAll(t: TestContext, stack: AsyncDisposableStack, fromMs: number, toMs: number): Promise<Pair[]> {
  const starts: { readonly [Name in ProgramName]: (program: string) => Promise<Pair[]> } = {
    'victoria-logs': async (program) => victoriaPairs(stack.use(await VictoriaLogs.start(program))),
    loki: async (program) => lokiPairs(stack.use(await Loki.start(program)), fromMs, toMs),
    'otel-collector': async (program) => collectorPairs(stack.use(await OtelCollector.start(program))),
    telegraf: async (program) => [telegrafPair(stack.use(await Telegraf.start(program, ['auditID', 'stage'])))],
    'audit-webhook': async (program) => [webhookPair(stack.use(await AuditWebhook.start(program)))],
  };
  const names = Object.keys(PROGRAMS) as ProgramName[];
  const started = await Promise.all(
    names.map((name) => {
      const program = findBuilt(name);
      if (program !== undefined) return starts[name](program);
      t.diagnostic(`left out: ${name} is not built: node test/servers/build.ts says why`);
      return [];
    }),
  );
  return started.flat();
}

/** The log as the apiserver writes it: rotated by renaming, every second part gzipped. */
class Log {
  readonly #site: Site;
  readonly #lines: readonly string[];
  #at = 0;

  constructor(site: Site, lines: readonly string[]) {
    this.#site = site;
    this.#lines = lines;
  }

  /** Writes on, up to a share of all lines. */
  write(share: number): void {
    for (const end = this.#lines.length * share; this.#at < end; this.#at += PIECE) {
      this.#site.write(this.#lines.slice(this.#at, this.#at + PIECE));
      const pieces = this.#at / PIECE;
      if (pieces % PIECES_BETWEEN_ROTATIONS !== PIECES_BETWEEN_ROTATIONS - 1) continue;
      this.#site.writer.rotate(
        pieces % (2 * PIECES_BETWEEN_ROTATIONS) > PIECES_BETWEEN_ROTATIONS ? 'rename' : 'rename-gzip',
      );
    }
  }
}

/** Waits for another request. */
async function goesOn(site: Site, agent: AgentProcess): Promise<void> {
  const before = requests(site);
  await agent.waitFor('another request', () => requests(site) > before, PATIENCE_MS);
}

function requests(site: Site): number {
  return site.pairs.reduce((sum, pair) => sum + site.answered(pair).length, 0);
}

function table(site: Site, tallies: ReadonlyMap<Pair, Tally>): string[] {
  const rows = [['sink', 'TLS', 'requests', 'not taken', 'stored', 'missing', 'more than once']];
  for (const [pair, { found, missing, repeated }] of tallies) {
    const answered = site.answered(pair).length;
    const counts = [answered, answered - site.accepted(pair), found, missing.length, repeated].map(String);
    rows.push([pair.name, pair.mutual ? 'mutual' : 'server', ...counts]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
