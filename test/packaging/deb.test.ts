import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeDeb } from '../../packaging/deb.ts';
import { defaultConfig } from '../../packaging/stage.ts';
import { FreshRoot, whyNoFreshRoot } from './fresh-root.ts';
import { CHECKOUT, Packages } from './packages.ts';

const CONFIG = '/etc/auditail/auditail.yaml';
const LOG = '/var/log/kubernetes/audit/audit.log';
const ARCHIVE = '/var/log/auditail/audit-kube-system.2024050607.log.gz';

/** The rights that the unit gives. */
const AS_SERVICE = [
  'setpriv',
  ...['--reuid=auditail', '--regid=auditail', '--clear-groups', '--no-new-privs'],
  ...[
    '--inh-caps=-all,+dac_read_search',
    '--ambient-caps=-all,+dac_read_search',
    '--bounding-set=-all,+dac_read_search',
  ],
];

function event(id: number): string {
  const objectRef = { namespace: 'kube-system' };
  return `${JSON.stringify({ kind: 'Event', auditID: `${id}`, objectRef, stageTimestamp: '2024-05-06T07:00:00Z' })}\n`;
}

function done({ status, stdout, stderr, error }: ReturnType<FreshRoot['run']>): string {
  assert.equal(status, 0, `${error ?? ''}${stdout}${stderr}`);
  return stdout;
}

/** A log as the apiserver leaves it: for root only. And the directories that systemd makes for the service. */
function furnish(root: FreshRoot): void {
  fs.mkdirSync(root.at(path.dirname(LOG)), { recursive: true, mode: 0o700 });
  fs.writeFileSync(root.at(LOG), event(1), { mode: 0o600 });
  const [, , uid, gid] = /^auditail:.*$/m.exec(fs.readFileSync(root.at('/etc/passwd'), 'utf8'))![0].split(':');
  for (const dir of ['/var/lib/auditail', '/var/log/auditail']) {
    fs.mkdirSync(root.at(dir), { mode: 0o750 });
    fs.chownSync(root.at(dir), Number(uid), Number(gid));
  }
}

test('installed into a fresh root, run, upgraded, removed, purged', { skip: whyNoFreshRoot() }, async (t) => {
  using packages = new Packages();
  using root = new FreshRoot();
  const first = packages.make(makeDeb, '0.9.0');
  const archived = () => gunzipSync(fs.readFileSync(root.at(ARCHIVE))).toString();
  const systemctl = root.noteCalls('systemctl');
  fs.mkdirSync(root.at('/run/systemd/system'), { recursive: true });
  const run = () => root.run(...AS_SERVICE, 'auditail', 'run', '-c', CONFIG, '--exit-at-eof');

  await t.test('installed: the program, its user, its configuration', () => {
    done(root.dpkg('--install', first));
    const { version } = JSON.parse(fs.readFileSync(path.join(CHECKOUT, 'package.json'), 'utf8'));
    assert.equal(done(root.run('auditail', '--version')).trim(), version);
    assert.match(
      fs.readFileSync(root.at('/etc/passwd'), 'utf8'),
      /^auditail:.*:\/var\/lib\/auditail:\/usr\/sbin\/nologin$/m,
    );
    assert.equal(fs.readFileSync(root.at(CONFIG), 'utf8'), defaultConfig(CHECKOUT, '/usr'));
    assert.match(defaultConfig(CHECKOUT, '/usr'), /\$schema=\/usr\/share\/auditail\/auditail\.schema\.json$/m);
    assert.ok(fs.existsSync(root.at('/usr/share/auditail/auditail.schema.json')));
    assert.ok(fs.existsSync(root.at('/usr/lib/systemd/system/auditail.service')));
    assert.deepEqual(systemctl(), ['daemon-reload'], 'nothing is started by an installation');
  });

  await t.test('every file of it belongs to root, and nobody else writes to it', () => {
    for (const line of spawnSync('dpkg-deb', ['-c', first], { encoding: 'utf8' }).stdout.trim().split('\n')) {
      assert.match(line, /^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root\/root /);
    }
  });

  await t.test('every module of the program loads, with what the package brings', () => {
    const script = `for (const file of require('fs').globSync('/usr/lib/auditail/dist/**/*.js')) {
      if (!file.endsWith('/main.js')) await import(file);
    }`;
    done(
      root.run(
        '/usr/lib/auditail/node',
        '--input-type=module',
        '-e',
        `import { createRequire } from 'node:module';
      const require = createRequire('/'); ${script}`,
      ),
    );
  });

  await t.test('it checks and archives a log that only root can read, with the rights of the unit', () => {
    furnish(root);
    assert.match(done(root.run(...AS_SERVICE, 'auditail', 'check', '-c', CONFIG)), /is valid, with no warnings/);
    done(run());
    assert.equal(archived(), event(1));
  });

  await t.test('without the capability it cannot, and says so', () => {
    const [program, ...rights] = AS_SERVICE;
    const without = rights.map((right) => right.replace(',+dac_read_search', ''));
    const { status, stderr } = root.run(program!, ...without, 'auditail', 'run', '-c', CONFIG, '--exit-at-eof');
    assert.equal(status, 1);
    assert.match(stderr, /CAP_DAC_READ_SEARCH/);
  });

  await t.test('an upgrade keeps a changed configuration, the state and the archive', () => {
    fs.appendFileSync(root.at(CONFIG), '# ours\n');
    done(root.dpkg('--force-confdef', '--force-confold', '--install', packages.make(makeDeb, '0.10.0')));
    assert.match(root.dpkg('--status', 'auditail').stdout, /^Status: install ok installed$.*^Version: 0\.10\.0$/ms);
    assert.match(fs.readFileSync(root.at(CONFIG), 'utf8'), /# ours\n$/);
    assert.deepEqual(systemctl(), ['daemon-reload', 'daemon-reload', 'try-restart auditail.service']);
    fs.appendFileSync(root.at(LOG), event(2));
    done(run());
    assert.equal(archived(), event(1) + event(2));
  });

  await t.test('removed: the program is gone, the configuration stays', () => {
    done(root.dpkg('--remove', 'auditail'));
    assert.deepEqual(systemctl(), ['disable --now auditail.service', 'daemon-reload']);
    assert.ok(!fs.existsSync(root.at('/usr/lib/auditail')));
    assert.ok(!fs.existsSync(root.at('/usr/bin/auditail')));
    assert.ok(fs.existsSync(root.at(CONFIG)));
  });

  await t.test('purged: the configuration is gone; the evidence stays, and that is said', () => {
    const told = done(root.dpkg('--purge', 'auditail'));
    assert.match(told, /\/var\/log\/auditail is kept/);
    assert.match(told, /\/var\/lib\/auditail is kept/);
    assert.ok(!fs.existsSync(root.at('/etc/auditail')));
    assert.equal(archived(), event(1) + event(2));
    assert.ok(fs.existsSync(root.at('/var/lib/auditail')));
  });

  await t.test('the same input gives the same package', () => {
    const [one, other] = [first, packages.makeAgain(makeDeb, '0.9.0')].map((file) =>
      createHash('sha256').update(fs.readFileSync(file)).digest('hex'),
    );
    assert.equal(one, other);
  });
});
