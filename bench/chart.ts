/**
 * `npm run bench:chart`: draws `docs/images/bench-light.svg` and `bench-dark.svg` out of `bench/results/bench.json`, and
 * `soak-light.svg` and `soak-dark.svg` out of `soak.json`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ratioChart } from './chart/ratio-chart.ts';
import { soakChart } from './chart/soak-chart.ts';
import { THEMES } from './chart/theme.ts';
import { readResults } from './harness/results-file.ts';
import { readSoakResult } from './soak/soak-result.ts';

const BENCH = fileURLToPath(new URL('./results/bench.json', import.meta.url));
const SOAK = fileURLToPath(new URL('./results/soak.json', import.meta.url));
const IMAGES = new URL('../docs/images/', import.meta.url);

mkdirSync(IMAGES, { recursive: true });
const bench = readResults(BENCH);
const soak = readSoakResult(SOAK);
for (const [name, theme] of Object.entries(THEMES)) {
  writeFileSync(new URL(`bench-${name}.svg`, IMAGES), ratioChart(bench, theme));
  writeFileSync(new URL(`soak-${name}.svg`, IMAGES), soakChart(soak, theme));
}
