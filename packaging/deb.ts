import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { copy, defaultConfig, stage, write } from './stage.ts';
import type { PackageOptions } from './tarball.ts';

const CONFFILE = '/etc/auditail/auditail.yaml';

/**
 * What the runtime and better-sqlite3's binary link to, the latter with the newer versions, and useradd. That is Debian 12,
 * Ubuntu 22.04 and newer. A test compares it with the binaries.
 */
const DEPENDS = 'libc6 (>= 2.34), libstdc++6 (>= 11), libgcc-s1, libatomic1, passwd';

/**
 * Makes `auditail_<version>_amd64.deb`. Gives its path.
 *
 * @throws Error where there is no dpkg-deb.
 */
export function makeDeb({ root, version, out, work, epoch, level }: PackageOptions): string {
  if (spawnSync('dpkg-deb', ['--version']).status !== 0) {
    throw new Error('dpkg-deb is not installed, and a .deb takes it: install Debian’s dpkg, or take the tarball');
  }
  const tree = path.join(work, 'deb');
  stage(root, path.join(tree, 'usr'), '/usr');
  fs.rmSync(path.join(tree, 'usr/share/auditail/auditail.yaml'));
  write(path.join(tree, CONFFILE), defaultConfig(root, '/usr'));
  write(path.join(tree, 'usr/share/doc/auditail/copyright'), copyright());
  write(path.join(tree, 'DEBIAN/conffiles'), `${CONFFILE}\n`);
  write(path.join(tree, 'DEBIAN/control'), control(version, kibibytes(tree)));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    copy(path.join(root, 'packaging/debian', script), path.join(tree, 'DEBIAN', script), true);
  }
  // dpkg-deb takes SOURCE_DATE_EPOCH as the latest time that a file may have, so an older one is made that time as well.
  for (const entry of fs.readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    fs.utimesSync(path.join(tree, entry), epoch, epoch);
  }
  fs.utimesSync(tree, epoch, epoch);
  const file = path.join(out, `auditail_${version}_amd64.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', `-z${level}`, '--build', tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: `${epoch}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return file;
}

function control(version: string, installedSize: number): string {
  return `Package: auditail
Version: ${version}
Architecture: amd64
Maintainer: The auditail authors <auditail@localhost>
Installed-Size: ${installedSize}
Depends: ${DEPENDS}
Recommends: systemd
Section: admin
Priority: optional
Description: agent for Kubernetes audit logs on control-plane hosts
 Tails the kube-apiserver's audit log through every rotation and writes one
 gzip file for each namespace and hour, each line exactly once. Sends events
 to HTTP receivers as well. Brings its own Node.js.
`;
}

function copyright(): string {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: auditail

Files: *
Copyright: the auditail authors
License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.

Files: usr/lib/auditail/node
Copyright: Node.js contributors
License: Node.js
 The full text is in /usr/share/doc/auditail/LICENSE.node.

Files: usr/lib/auditail/node_modules/*
Copyright: the authors of each module
License: of-each-module
 The full text is in the directory of each module, or named in its package.json.
`;
}

function kibibytes(tree: string): number {
  let total = 0;
  for (const entry of fs.readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    total += Math.max(1, Math.ceil(fs.lstatSync(path.join(tree, entry)).size / 1024));
  }
  return total;
}
