import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { AuditEvents } from '../../bench/audit-events.ts';
import { ApiserverLog } from '../../demo/apiserver-log.ts';

const directory = mkdtempSync(join(tmpdir(), 'auditail-apiserver-log-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('rotates by size between lines, gzips backups in the background, keeps the newest, loses no line of those', async () => {
  const maxSize = 100_000;
  const log = new ApiserverLog({ path: join(directory, 'audit.log'), maxSize, maxBackups: 3 });
  const written: string[] = [];
  for (const event of new AuditEvents({ count: 800, seed: 4 })) {
    const before = log.rotations;
    log.write(Buffer.from(`${event}\n`));
    written.push(event);
    // Backups are named by the millisecond. The background work gets its turn here too, as it does in the demo.
    if (log.rotations > before) await sleep(2);
  }
  await log.close();

  assert.ok(log.rotations > 8, `${log.rotations} rotations`);
  assert.equal(log.pruned, log.rotations - 3);
  const names = readdirSync(directory).sort();
  assert.equal(names.filter((name) => /^audit-[\dT.-]+\.log\.gz$/.test(name)).length, 3);
  assert.equal(names.length, 4);
  const parts = names.map((name) => {
    const bytes = readFileSync(join(directory, name));
    return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  });
  assert.ok(parts.every((part) => part.length <= maxSize || part.indexOf(10) === part.length - 1));
  const kept = Buffer.concat(parts).toString().trimEnd().split('\n');
  assert.deepEqual(kept, written.slice(-kept.length));
});
