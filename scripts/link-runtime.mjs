// Runs on whatever Node the machine has, before anything else of ours: `node_modules/.bin/node` is the pinned runtime.
// npm 11 links it; npm 10 leaves the binaries of optional packages out of `npm ci`.
import fs from 'node:fs';
import path from 'node:path';

const modules = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../node_modules');
const link = path.join(modules, '.bin/node');
const runtime = `../node-${process.platform}-${process.arch}/bin/node`;

if (fs.existsSync(path.resolve(modules, '.bin', runtime)) && !fs.existsSync(link)) {
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.rmSync(link, { force: true });
  fs.symlinkSync(runtime, link);
}
