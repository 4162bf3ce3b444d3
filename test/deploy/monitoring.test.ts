import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { NDJSON } from '../../demo/receivers/protocols/ndjson.ts';
import { WholeRequestStore } from '../../demo/receivers/whole-request-store.ts';
import { ask } from '../admin/ask.ts';
import { Scene } from '../e2e/scene.ts';
import { promtool } from '../helpers/promtool.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ALERTS = path.join(ROOT, 'deploy/prometheus/alerts.yaml');
const ALERTS_TEST = path.join(ROOT, 'test/deploy/alerts.rules-test.yaml');
const DASHBOARD = path.join(ROOT, 'deploy/grafana/dashboard.json');
const OPERATIONS = path.join(ROOT, 'docs/operations.md');

function namesIn(text: string): Set<string> {
  return new Set(text.match(/\bauditail_[a-z][a-z0-9_]+/g));
}

/** What an agent with a source, an archive and an HTTP sink shows after its first events: samples, as the text has them. */
async function scrape(): Promise<string> {
  await using scene = new Scene();
  await using receiver = await ChaosReceiver.start({ store: new WholeRequestStore(NDJSON) });
  const config = scene.config({ admin: { listen: '127.0.0.1:0' } });
  const siem = { name: 'siem', type: 'http', format: 'ndjson', url: receiver.url, batch: { age: '20ms' } };
  // Two rotated parts: from fewer there is no estimate of the window.
  for (let part = 0; part < 2; part += 1) {
    scene.write(5);
    scene.writer.rotate('rename');
  }
  scene.write(5);
  const agent = scene.start({ config: { ...config, sinks: [...(config.sinks as unknown[]), siem] } });
  const line = () => agent.findLog(/^answering \/metrics/);
  await agent.waitFor('the admin listener', () => line() !== undefined);
  let body = '';
  await agent.waitFor('15 events in both sinks', async () => {
    body = (await ask(String(line()!.address), '/metrics')).body;
    return (
      /^auditail_archive_events_total\{.*\} 15$/m.test(body) &&
      /^auditail_http_delivered_events_total\{.*\} 15$/m.test(body)
    );
  });
  return body;
}

test('each metric that alerts, dashboard and documents name is in a real scrape, and each sample of one is documented', async () => {
  const body = await scrape();
  const samples = new Set(body.split('\n').flatMap((line) => /^(auditail_[a-z0-9_]+)[{ ]/.exec(line)?.[1] ?? []));
  // Of a histogram the name is documented, and three kinds of samples are scraped.
  const histograms = new Set(
    [...samples].flatMap((name) => /^(.*_seconds)_(?:bucket|sum|count)$/.exec(name)?.[1] ?? []),
  );
  const alerts = namesIn(readFileSync(ALERTS, 'utf8'));
  const dashboard = namesIn(readFileSync(DASHBOARD, 'utf8'));
  assert.ok(alerts.size >= 15 && dashboard.size >= 25, `${alerts.size} and ${dashboard.size} metrics were found`);
  for (const name of [...alerts, ...dashboard]) assert.ok(samples.has(name), `${name} is not in a scrape`);
  const documented = namesIn(readFileSync(OPERATIONS, 'utf8'));
  for (const name of [...histograms]) {
    for (const part of ['bucket', 'sum', 'count']) assert.ok(samples.delete(`${name}_${part}`), name);
    samples.add(name);
  }
  for (const name of samples) assert.ok(documented.has(name), `${name} is not in docs/operations.md`);
  // Counters that have no sample before their first event are documented too.
  const code = spawnSync('grep', ['-rhoE', "'[a-z_]+'", 'src/telemetry', 'src/admin'], { cwd: ROOT, encoding: 'utf8' });
  const named = new Set(`${code.stdout}${keysOfWatched()}`.match(/[a-z_]+/g));
  for (const name of documented) assert.ok(named.has(name.slice('auditail_'.length)), `${name} is nowhere in the code`);
});

test('each alert is explained in docs/operations.md, and each that is explained there exists', () => {
  const alerts = [...readFileSync(ALERTS, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
  const explained = [...readFileSync(OPERATIONS, 'utf8').matchAll(/^\| `(Auditail\w+)`/gm)].map(([, name]) => name!);
  assert.deepEqual(explained.toSorted(), alerts.toSorted());
});

test('the alert rules pass promtool, where it is installed', (t) => {
  const checked = promtool(t, ['check', 'rules', ALERTS]);
  if (checked !== undefined) assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});

test('each alert fires when it should, and no other, where promtool is installed', (t) => {
  const rules = readFileSync(ALERTS_TEST, 'utf8');
  for (const [, name] of readFileSync(ALERTS, 'utf8').matchAll(/- alert: (\w+)/g)) {
    assert.match(rules, new RegExp(`alertname="${name}"`), `nothing makes ${name} fire`);
  }
  const tested = promtool(t, ['test', 'rules', ALERTS_TEST]);
  if (tested !== undefined) assert.equal(tested.status, 0, tested.stdout + tested.stderr);
});

test('panels of the dashboard have their own ids and lie beside each other', () => {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
  };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  assert.equal(new Set(cells).size, cells.length, 'two panels lie on one place');
});

function keysOfWatched(): string {
  const files = ['agent', 'archive', 'http', 'source'].map((area) => `src/telemetry/${area}-occurrences.ts`);
  return files
    .flatMap((file) => readFileSync(path.join(ROOT, file), 'utf8').match(/^ {2}[a-z_]+_total:/gm) ?? [])
    .join(' ');
}
