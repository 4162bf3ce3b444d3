/** A log loses lines that the agent has read, while its state cannot be written: nobody else knows that they were there. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ChaosReceiver } from '../../demo/receivers/chaos-receiver.ts';
import { ElasticsearchStore } from '../../demo/receivers/elasticsearch-store.ts';
import { FaultControl } from '../../torture/fault-control.ts';
import { hashLine, LineMultiset } from '../helpers/line-multiset.ts';
import { whyNoFaults } from '../torture/why-no-faults.ts';
import { assertReceivedOnce, command, httpSink, withSinks } from './http-scene.ts';
import { assertExact, Scene } from './scene.ts';

interface ListedGap {
  readonly path: string;
  readonly from_offset: number;
  readonly to_offset: number;
}

const READ = 40;
const LEFT = 25;

function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const newline = content.indexOf(10, at);
    lines.push(content.subarray(at, newline));
    at = newline + 1;
  }
  return lines;
}

function multiset(...lines: readonly Buffer[]): LineMultiset {
  const expected = new LineMultiset();
  for (const line of lines) expected.expect(hashLine(line));
  return expected;
}

describe('a log that is cut while the state cannot be written', { skip: whyNoFaults() }, () => {
  for (const later of [5, 200]) {
    test(`what the archive has lost is a gap, and a sink gets all that stands there; ${later} lines follow`, async () => {
      await using scene = new Scene();
      const store = new ElasticsearchStore();
      await using receiver = await ChaosReceiver.start({ store });
      const faults = new FaultControl(join(scene.root, 'faults'), { state: scene.state });
      const config = withSinks(
        scene.config(),
        httpSink('es', receiver.url, { format: 'elasticsearch', index: 'audit' }),
      );
      await using agent = scene.start({ config, env: faults.env });
      scene.write(READ);
      await scene.committed(agent);
      const committed = readFileSync(scene.log).length;
      const rule = faults.on({ calls: ['write'], directories: ['state'], every: 1, error: 'EIO' });
      scene.write(READ);
      const failures = () => agent.log.filter(({ message }) => /^writing failed/.test(String(message))).length;
      await agent.waitFor('a failure', () => failures() > 0);
      await agent.waitFor('what is lost to arrive', () => store.stored.distinct === 2 * READ);
      const before = linesOf(readFileSync(scene.log));
      const from = committed + before.slice(READ, READ + LEFT).reduce((sum, line) => sum + line.length + 1, 0);
      const to = readFileSync(scene.log).length;
      truncateSync(scene.log, from);
      scene.write(later);
      const now = linesOf(readFileSync(scene.log));
      faults.off(rule);
      await agent.waitFor('all lines that are left', async () => (await scene.count()) >= now.length);
      await agent.waitFor('all events', () => store.stored.distinct === before.length + later);
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      assertExact(await scene.compare(multiset(...now)));
      assertReceivedOnce(multiset(...before, ...now.slice(-later)), store.stored);
      const { stdout } = await command(scene.root, config, ['offsets', 'list', '--json']);
      const { sources } = JSON.parse(stdout) as { sources: { gaps: ListedGap[] }[] };
      assert.deepEqual(
        sources[0]!.gaps.map(({ path, from_offset, to_offset }) => [path, from_offset, to_offset]),
        [[scene.log, from, to]],
      );
    });
  }
});
