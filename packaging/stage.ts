import fs from 'node:fs';
import path from 'node:path';
import { type Architecture, isRead, productionModules } from './production-modules.ts';

/** Documents that operators need, with the path below `docs` or the checkout. */
const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'docs', 'config/examples', 'deploy'];

/**
 * Lays out what both packages hold below `prefix`: the program as {@link stageProgram} does, `lib/systemd/system`,
 * `share/auditail/auditail.yaml`, and documents.
 *
 * @param root the checkout, with `dist` and `node_modules`.
 * @param installedAt where `prefix` will be on a host, for the paths in the unit.
 * @throws Error when the checkout lacks the build or the runtime.
 */
export function stage(root: string, prefix: string, installedAt: string): void {
  const from = (file: string) => path.join(root, file);
  const to = (file: string) => path.join(prefix, file);
  stageProgram(root, prefix, 'x64');
  const unit = fs.readFileSync(from('systemd/auditail.service'), 'utf8');
  write(to('lib/systemd/system/auditail.service'), unit.replaceAll('/usr/', `${installedAt}/`));
  write(to('share/auditail/auditail.yaml'), defaultConfig(root, installedAt));
  for (const document of DOCUMENTS) {
    const target = to(`share/doc/auditail/${document.replace(/^(docs|config)(\/|$)/, '')}`);
    if (fs.statSync(from(document)).isDirectory()) copyTree(from(document), target, () => true);
    else copy(from(document), target);
  }
}

/**
 * Lays out what runs, as it lies below `/usr`: `bin/auditail`, `lib/auditail` (the runtime, the program, its modules), the
 * schema, and the runtime's license. Modes are set, whatever the umask and the checkout say: 0755 for directories and
 * programs, 0644 for the rest.
 *
 * @throws Error when the checkout lacks the build or the runtime for the architecture.
 */
export function stageProgram(root: string, prefix: string, architecture: Architecture): void {
  const from = (file: string) => path.join(root, file);
  const to = (file: string) => path.join(prefix, file);
  const runtimePackage = `node_modules/node-linux-${architecture}`;
  const runtime = from(`${runtimePackage}/bin/node`);
  for (const [needed, way] of [
    [from('dist/main.js'), 'npm run build'],
    [runtime, `npm ci, on Linux for ${architecture}`],
  ] as const) {
    if (!fs.existsSync(needed)) throw new Error(`${needed} does not exist: run ${way} first`);
  }
  copy(runtime, to('lib/auditail/node'), true);
  copy(from(`${runtimePackage}/LICENSE`), to('share/doc/auditail/LICENSE.node'));
  copyTree(from('dist'), to('lib/auditail/dist'), () => true);
  copy(from('package.json'), to('lib/auditail/package.json'));
  for (const place of productionModules(root)) {
    const name = place.slice('node_modules/'.length);
    copyTree(from(place), to(`lib/auditail/${place}`), (file) => isRead(`${name}/${file}`, architecture));
  }
  copy(from('packaging/auditail.sh'), to('bin/auditail'), true);
  copy(from('config/auditail.schema.json'), to('share/auditail/auditail.schema.json'));
}

/** The default configuration, whose editors find the schema. */
export function defaultConfig(root: string, installedAt: string): string {
  const text = fs.readFileSync(path.join(root, 'config/auditail.yaml'), 'utf8');
  return text.replace('$schema=auditail.schema.json', `$schema=${installedAt}/share/auditail/auditail.schema.json`);
}

/** Writes a file and the directories above it. */
export function write(file: string, content: string, isProgram = false): void {
  makeDirectory(path.dirname(file));
  fs.writeFileSync(file, content);
  fs.chmodSync(file, isProgram ? 0o755 : 0o644);
}

/** Copies a file, through the symlink if it is one, and makes the directories above it. */
export function copy(source: string, target: string, isProgram = false): void {
  makeDirectory(path.dirname(target));
  fs.copyFileSync(source, target, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(target, isProgram ? 0o755 : 0o644);
}

function copyTree(source: string, target: string, takes: (file: string) => boolean): void {
  for (const entry of fs.readdirSync(source, { recursive: true, withFileTypes: true })) {
    const file = path.relative(source, path.join(entry.parentPath, entry.name));
    // A package inside a package stands in the lock file for itself.
    if (!entry.isFile() || file.split(path.sep).includes('node_modules') || !takes(file)) continue;
    copy(path.join(source, file), path.join(target, file));
  }
}

/** Makes a directory and those above it, with mode 0755. */
export function makeDirectory(directory: string): void {
  if (fs.existsSync(directory)) return;
  makeDirectory(path.dirname(directory));
  fs.mkdirSync(directory);
  fs.chmodSync(directory, 0o755);
}
