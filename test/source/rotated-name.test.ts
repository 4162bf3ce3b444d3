import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRotatedName } from '../../src/source/rotated-name.ts';

const ROTATED: [name: string, live: string, styles: string[], gzip: boolean][] = [
  ['audit-2026-11-20T15-04-05.000.log', 'audit.log', ['lumberjack'], false],
  ['audit-2026-11-20T15-04-05.000.log.gz', 'audit.log', ['lumberjack'], true],
  ['kubernetes-audit-2026-11-20T15-04-05.123', 'kubernetes-audit', ['lumberjack'], false],
  ['kube-apiserver-audit-2026-11-20T15-04-05.123.log', 'kube-apiserver-audit.log', ['lumberjack'], false],
  ['audit.log.1', 'audit.log', ['numbered'], false],
  ['audit.log.17.gz', 'audit.log', ['numbered'], true],
  ['audit.1.log', 'audit.log', ['numbered'], false],
  ['audit.log-20261120', 'audit.log', ['dated'], false],
  ['audit.log-20261120.gz', 'audit.log', ['dated'], true],
  ['audit.log-2026-11-20', 'audit.log', ['dated'], false],
  ['audit.log-20261120-15', 'audit.log', ['dated'], false],
  ['audit.log-1795186800', 'audit.log', ['dated'], false],
  ['audit-20261120.log', 'audit.log', ['dated'], false],
  ['0.log.20261120-150405', '0.log', ['dated'], false],
  ['0.log.20261120-150405.gz', '0.log', ['dated'], true],
  ['audit-2026-11-20T15-04-05.000.log.1', 'audit.log', ['numbered', 'lumberjack'], false],
  ['audit.log.1-2026113012.backup', 'audit.log', ['aside', 'numbered'], false],
  ['audit.log-20261130-2026113012.backup', 'audit.log', ['aside', 'dated'], false],
  ['audit.log.gz', 'audit.log', ['gzip'], true],
];

test('rotated parts name their live file', () => {
  for (const [name, live, styles, gzip] of ROTATED)
    assert.deepEqual(parseRotatedName(name), { live, styles, gzip }, name);
});

test('live names are not taken for rotated parts', () => {
  for (const name of [
    'audit.log',
    'audit',
    'kubernetes-audit',
    '0.log',
    'audit-v1.log',
    '.gz',
    'audit.log.bak',
    'audit.log.backup',
    'a-b-c.json',
  ]) {
    assert.equal(parseRotatedName(name), undefined, name);
  }
});
