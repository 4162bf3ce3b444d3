// npm run package: the tarball and the .deb, from the build and node_modules, without a network.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makeDeb } from './deb.ts';
import { makeTarball } from './tarball.ts';

const root = path.resolve(import.meta.dirname, '..');
const out = path.join(root, 'dist-packages');
const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };

/** Higher ones take much longer, for 1 % less. */
const GZIP_LEVEL = 6;

/** SOURCE_DATE_EPOCH, or the time of the commit that is packed. */
function epochOf(): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  const text = given ?? execFileSync('git', ['-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' }).trim();
  if (!/^\d+$/.test(text)) throw new Error(`SOURCE_DATE_EPOCH is ${text}: it takes whole seconds since 1970`);
  return Number(text);
}

fs.mkdirSync(out, { recursive: true });
for (const make of [makeTarball, makeDeb]) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'auditail-package-'));
  try {
    const file = make({ root, version, out, work, epoch: epochOf(), level: GZIP_LEVEL });
    console.log(`${path.relative(root, file)}  ${(fs.statSync(file).size / 1e6).toFixed(1)} MB`);
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}
