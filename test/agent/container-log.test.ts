import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { AgentState } from '../../src/agent/agent-state.ts';
import { buildAgent } from '../../src/agent/build-agent.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { criPart, dockerPart } from '../helpers/container-log.ts';

const PARTS = { cri: criPart, docker: dockerPart } as const;

interface World {
  readonly log: string;
  readonly metrics: () => Promise<string>;
  /** Lines that the agent logged, all runs together. */
  readonly logged: { level: number; msg: string }[];
  /** Reads all there is, into so many archives. */
  run(archives?: number): Promise<void>;
  /** The files of an archive and their lines. */
  archive(n?: number): Record<string, string[]>;
}

function world(t: TestContext, format: 'cri' | 'docker', stream = 'stdout'): World {
  const root = mkdtempSync(path.join(os.tmpdir(), 'auditail-container-'));
  t.after(() => rmSync(root, { recursive: true }));
  const log = path.join(root, 'log', '0.log');
  mkdirSync(path.dirname(log));
  const logged: World['logged'] = [];
  let telemetry: Telemetry | undefined;
  return {
    log,
    logged,
    metrics: () => telemetry!.registry.metrics(),
    async run(archives = 1) {
      const source = {
        path: log,
        format,
        stream,
        rotate_wait: '0s',
        refresh_interval: '10ms',
        max_line_bytes: '64KiB',
      };
      const sinks = Array.from({ length: archives }, (_, n) => {
        return { name: `archive${n}`, type: 'file', path: path.join(root, `${n}`, '${tag}.log'), compress: 'none' };
      });
      const commit = { durability: 'process' };
      const config = parseConfig(
        JSON.stringify({ state_dir: path.join(root, 'state'), commit, sources: [source], sinks }),
        {
          file: 'test.yaml',
          env: {},
        },
      );
      telemetry = new Telemetry(
        pino({ level: 'info' }, { write: (text: string) => void logged.push(JSON.parse(text)) }),
      );
      await using state = AgentState.open(config, telemetry);
      await buildAgent(config, state).run({ exitAtEof: true });
    },
    archive: (n = 0) =>
      Object.fromEntries(
        readdirSync(path.join(root, `${n}`)).map((name) => [
          name,
          readFileSync(path.join(root, `${n}`, name), 'utf8')
            .trimEnd()
            .split('\n'),
        ]),
      ),
  };
}

function event(id: number, namespace = 'team-a'): string {
  return JSON.stringify({ kind: 'Event', auditID: `${id}`, quoted: '"<é>"\\', objectRef: { namespace } });
}

for (const format of ['cri', 'docker'] as const) {
  const part = PARTS[format];
  let clock = Date.UTC(2026, 10, 20, 15);
  const line = (...texts: string[]) =>
    texts
      .map((text, index) => {
        clock += 1;
        return part({ text, isPartial: index < texts.length - 1, timeMs: clock });
      })
      .join('');
  const begun = (text: string) => part({ text, isPartial: true, timeMs: ++clock });

  test(`${format}: events are archived as the container wrote them; what else it writes is kept, and told once`, async (t) => {
    const { log, run, archive, logged, metrics } = world(t, format);
    const klog = Array.from({ length: 500 }, (_, n) => `I1120 15:04:05.000000 1 server.go:${n}] text`);
    const torn = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","au${JSON.stringify({ kind: 'Event', apiVersion: 'audit.k8s.io/v1', objectRef: { namespace: 'team-b' } })}`;
    const broken = event(3).slice(0, -1);
    const bad = format === 'cri' ? 'no wrapper' : '{"log":"\\q\\n","stream":"stdout"}';
    writeFileSync(
      log,
      [
        line(event(1)),
        ...klog.map((text) => line(text)),
        part({ text: 'E1120 on stderr', stream: 'stderr' }),
        line(event(2).slice(0, 9), event(2).slice(9, 40), event(2).slice(40)),
        line(torn),
        line(broken),
        `${bad}\n\n`,
        line(''),
      ].join(''),
    );
    await run();
    assert.deepEqual(archive(), {
      'audit.team-a.log': [event(1), event(2)],
      'audit.team-b.log': [torn.slice(torn.lastIndexOf('{"kind"'))],
      'audit._unparsed.log': [...klog, torn.slice(0, torn.lastIndexOf('{"kind"')), broken, bad],
    });
    const warnings = logged.filter(({ level }) => level >= 40).map(({ msg }) => msg);
    assert.deepEqual(warnings.toSorted(), [
      'a line is no event: kept as it is',
      'recovered an event behind a torn one',
    ]);
    assert.equal(logged.filter(({ msg }) => msg.startsWith('the container also writes lines')).length, 1);
    const counted = await metrics();
    const count = (name: string) => Number(new RegExp(`^auditail_${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(counted)?.[1]);
    assert.deepEqual(
      [count('text_lines_total'), count('unparsable_lines_total'), count('torn_lines_total')],
      [500, 2, 1],
    );
    assert.deepEqual([count('received_events_total'), count('other_stream_lines_total')], [3, 1]);
    assert.equal(count('blank_lines_total'), 2);
    assert.equal(count('received_bytes_total'), readFileSync(log).length);
  });

  test(`${format}: an archive that is added later holds lines that a rotation cut, and what is left open waits`, async (t) => {
    const { log, run, archive } = world(t, format, 'all');
    writeFileSync(log, line(event(1)) + begun(event(2).slice(0, 30)));
    await run();
    assert.deepEqual(archive()['audit.team-a.log'], [event(1)]);
    renameSync(log, `${log}.20261120-150405`);
    writeFileSync(log, begun(event(2).slice(30, 60)));
    await run();
    assert.deepEqual(archive()['audit.team-a.log'], [event(1)], 'its container may still go on');
    writeFileSync(log, readFileSync(log, 'utf8') + line(event(2).slice(60)) + line(event(3)) + begun(event(4)));
    await run();
    await run(2);
    const expected = { 'audit.team-a.log': [event(1), event(2), event(3)] };
    assert.deepEqual([archive(0), archive(1)], [expected, expected]);
  });
}
