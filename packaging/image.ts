// node packaging/image.ts DIRECTORY: lays out there what the Dockerfile adds to its base.
import fs from 'node:fs';
import path from 'node:path';
import { defaultConfig, makeDirectory, stageProgram, write } from './stage.ts';

/** Where volumes go. They are there because the root is read-only; an empty named volume takes over the mode. */
const MOUNT_POINTS = { 'var/lib/auditail': 0o750, 'var/log/auditail': 0o750, 'var/log/kubernetes/audit': 0o700 };

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('name the directory to lay it out in');
const { arch } = process;
if (arch !== 'x64' && arch !== 'arm64') throw new Error(`there is no runtime for ${arch}: build for amd64 or arm64`);

const root = path.resolve(import.meta.dirname, '..');
stageProgram(root, path.join(target, 'usr'), arch);
write(path.join(target, 'etc/auditail/auditail.yaml'), defaultConfig(root, '/usr'));
for (const [directory, mode] of Object.entries(MOUNT_POINTS)) {
  makeDirectory(path.join(target, directory));
  fs.chmodSync(path.join(target, directory), mode);
}
