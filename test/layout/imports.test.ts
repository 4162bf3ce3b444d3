import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const SRC = path.resolve(import.meta.dirname, '../../src');

/** Who may import whom: an area may import areas of a lower level, and itself. Siblings of one level never import each other. */
const LEVELS: Readonly<Record<string, number>> = {
  main: 9,
  cli: 8,
  convert: 7,
  admin: 7,
  agent: 6,
  config: 4,
  source: 3,
  sink: 3,
  route: 2,
  event: 2,
  checkpoint: 2,
  telemetry: 2,
};

/** Siblings that build on each other all the same. */
const ALLOWED = new Set(['checkpoint>event', 'route>event']);

/** Outside packages, each with the one area that may import it. */
const PACKAGES: Readonly<Record<string, string>> = {
  'ansi-escapes': 'cli',
  commander: 'cli',
  'cli-table3': 'cli',
  'cli-progress': 'cli',
  'string-width': 'cli',
  'js-yaml': 'config',
  zod: 'config',
  'better-sqlite3': 'checkpoint',
  pino: 'telemetry',
  'prom-client': 'telemetry',
  undici: 'sink',
};

interface Import {
  readonly file: string;
  readonly area: string;
  readonly target: string;
  readonly isType: boolean;
}

function* importsOf(dir: string): Generator<Import> {
  for (const entry of fs.readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = path.join(entry.parentPath, entry.name);
    const text = fs.readFileSync(file, 'utf8');
    for (const match of text.matchAll(
      /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|await import\('([^']+)'\)/gm,
    )) {
      yield { file, area: areaOf(file), target: (match[2] ?? match[3])!, isType: match[1] !== undefined };
    }
  }
}

/** `main` for files that stand in src itself, unless they are leaves that everybody uses. */
function areaOf(file: string): string {
  const [first, second] = path.relative(SRC, file).split(path.sep);
  if (second !== undefined) return first!;
  return first === 'main.ts' ? 'main' : 'leaf';
}

test('imports go down only', () => {
  const wrong: string[] = [];
  for (const { file, area, target, isType } of importsOf(SRC)) {
    if (!target.startsWith('.')) continue;
    const to = areaOf(path.resolve(path.dirname(file), target));
    if (to === area || to === 'leaf' || area === 'main' || ALLOWED.has(`${area}>${to}`)) continue;
    if (isType && path.basename(target) === 'types.ts' && to === 'config') continue;
    if (to === 'telemetry') continue;
    if (area === 'telemetry' && isType) continue;
    if ((LEVELS[area] ?? 0) <= (LEVELS[to] ?? 0)) wrong.push(`${path.relative(SRC, file)} imports ${target}`);
  }
  assert.deepEqual(wrong, []);
});

test('each outside package has one importing area', () => {
  const wrong: string[] = [];
  for (const { file, area, target } of importsOf(SRC)) {
    if (target.startsWith('.') || target.startsWith('node:')) continue;
    if (PACKAGES[target] !== area) wrong.push(`${path.relative(SRC, file)} imports ${target}`);
  }
  assert.deepEqual(wrong, []);
});

test('every runtime dependency is listed here and explained in docs/dependencies.md', () => {
  const root = path.resolve(SRC, '..');
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>;
  assert.deepEqual(Object.keys(dependencies!).toSorted(), Object.keys(PACKAGES).toSorted());
  const documented = fs.readFileSync(path.join(root, 'docs/dependencies.md'), 'utf8');
  for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    assert.ok(documented.includes(`\`${name}\``), `${name} is not in docs/dependencies.md`);
  }
});

test('nothing is compiled at install', () => {
  const root = path.resolve(SRC, '..');
  const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; gypfile?: boolean }>;
  };
  const { allowScripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const [place, entry] of Object.entries(lock.packages)) {
    const dir = path.join(root, place);
    if (place === '' || !fs.existsSync(path.join(dir, 'binding.gyp'))) continue;
    // npm runs node-gyp for any package with a binding.gyp, whatever the package itself says: npm 11 unless package.json
    // denies it, older ones unless the lock file says that there is nothing to build. The latter is written by hand, and
    // lost when the entry is written anew.
    assert.equal(entry.gypfile, false, `add "gypfile": false to ${place} in package-lock.json`);
    assert.equal(allowScripts[place.replace(/^.*node_modules\//, '')], false, `npm install-scripts deny ${place}`);
  }
});

test('no source file passes 300 lines', () => {
  const long: string[] = [];
  for (const entry of fs.readdirSync(SRC, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const lines = fs.readFileSync(file, 'utf8').split('\n').length - 1;
    if (lines > 300) long.push(`${path.relative(SRC, file)}: ${lines}`);
  }
  assert.deepEqual(long, []);
});
