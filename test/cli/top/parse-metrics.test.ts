import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Counter, Registry } from 'prom-client';
import { parseMetrics } from '../../../src/cli/top/parse-metrics.ts';

test('names, labels and values are read, all else is left out', () => {
  const text = [
    '# HELP auditail_a_total A',
    '# TYPE auditail_a_total counter',
    'auditail_a_total{source="apiserver"} 12',
    'auditail_b{use="state",sink=""} 1.5e+9',
    'auditail_ready 1',
    'auditail_old 1 1700000000000',
    'auditail_inf +Inf',
    'auditail_nan Nan',
    'no sample at all',
    '',
  ].join('\n');
  assert.deepEqual(parseMetrics(text), [
    { name: 'auditail_a_total', labels: { source: 'apiserver' }, value: 12 },
    { name: 'auditail_b', labels: { use: 'state', sink: '' }, value: 1.5e9 },
    { name: 'auditail_ready', labels: {}, value: 1 },
    // With a time behind it.
    { name: 'auditail_old', labels: {}, value: 1 },
    { name: 'auditail_inf', labels: {}, value: Number.POSITIVE_INFINITY },
  ]);
});

test('what prom-client writes is read as it was given, whatever names hold', async () => {
  const name = fc.oneof(fc.string(), fc.constantFrom('a"b', 'a\\', '\\n', 'a\nb', '},{', '"} 1', 'a b'));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), fc.nat(), async (names, value) => {
      const registry = new Registry();
      const counter = new Counter({
        name: 'auditail_x_total',
        help: 'x',
        labelNames: ['sink', 'source'],
        registers: [registry],
      });
      for (const [index, sink] of names.entries()) counter.inc({ sink, source: 's' }, value + index);
      const expected = names.map((sink, index) => ({
        name: 'auditail_x_total',
        labels: { sink, source: 's' },
        value: value + index,
      }));
      assert.deepEqual(parseMetrics(await registry.metrics()), expected);
    }),
  );
});
