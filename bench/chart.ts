/**
 * `npm run bench:chart`: draws `docs/images/bench-light.svg` and `bench-dark.svg` out of `bench/results/bench.json`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ratioChart } from './chart/ratio-chart.ts';
import { THEMES } from './chart/theme.ts';
import { readResults } from './harness/results-file.ts';

const RESULTS = fileURLToPath(new URL('./results/bench.json', import.meta.url));
const IMAGES = new URL('../docs/images/', import.meta.url);

mkdirSync(IMAGES, { recursive: true });
const results = readResults(RESULTS);
for (const [name, theme] of Object.entries(THEMES)) {
  writeFileSync(new URL(`bench-${name}.svg`, IMAGES), ratioChart(results, theme));
}
