import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ratioChart } from '../../bench/chart/ratio-chart.ts';
import { soakChart } from '../../bench/chart/soak-chart.ts';
import { THEMES } from '../../bench/chart/theme.ts';
import type { Figure } from '../../bench/harness/figure.ts';
import { type Results, readResults } from '../../bench/harness/results-file.ts';
import { readSoakResult } from '../../bench/soak/soak-result.ts';

const MACHINE = { cores: 2, cpu: 'a <CPU> & more', memoryGiB: 4, kernel: 'Linux', node: 'v26', versions: {} };

function resultsOf(...figures: Figure[]): Results {
  const entry = { date: '2026-02-03', commit: 'abc', otherLoad: 0, inputBytes: 1, figures };
  return { machine: MACHINE, benchmarks: { some: entry } };
}

const HALF: Figure = { id: 'gzip-6', what: '', unit: '×', measured: 0.5, target: { atLeast: 1 }, note: '' };
const DOUBLE: Figure = { id: 'zstd-1', what: '', unit: '×', measured: 2, target: { atLeast: 1.8 }, note: '' };

/** The length of each bar in the chart's own units: of the filled paths in the colours of verdicts. */
function barWidths(svg: string): number[] {
  const colours = [THEMES.light.met, THEMES.light.missed, THEMES.light.neutral].join('|');
  const bars = [...svg.matchAll(new RegExp(`<path d="([^"]+)"[^>]* fill="(?:${colours})"`, 'g'))];
  return bars.map(([, path]) => {
    const steps = [...path!.matchAll(/l(-?[\d.]+) /g)].map(([, dx]) => Number(dx));
    return Math.max(...steps);
  });
}

describe('the chart of ratios', () => {
  test('bars begin at zero: twice the ratio is twice the length', () => {
    const svg = ratioChart(resultsOf({ ...HALF, measured: 1 }, DOUBLE), THEMES.light);
    const [one, two] = barWidths(svg);
    assert.ok(one! > 50, `bars of ${one} and ${two} units`);
    assert.ok(Math.abs(two! / one! - 2) < 0.02, `bars of ${one} and ${two} units`);
  });

  test('says what was missed and what was met, in words', () => {
    const svg = ratioChart(resultsOf(HALF, DOUBLE), THEMES.light);
    assert.match(svg, />at least 1 ×: missed</);
    assert.match(svg, />at least 1.8 ×: met</);
    assert.match(svg, />0.50 ×</);
  });

  test('leaves out what was not measured, and what is no ratio of the chart', () => {
    const svg = ratioChart(
      resultsOf(HALF, { ...DOUBLE, measured: undefined }, { ...DOUBLE, id: 'start-up' }),
      THEMES.light,
    );
    assert.equal(barWidths(svg).length, 1);
  });

  test('what the machine is called cannot break the picture', () => {
    const svg = ratioChart(resultsOf(HALF), THEMES.dark);
    assert.match(svg, /a &lt;CPU&gt; &amp; more/);
    // Attributes as an XML parser takes them: no quote inside of quotes, no bracket.
    const tags = svg.match(/<[^>]*>/g)!;
    for (const tag of tags) assert.match(tag, /^<\/?[\w:]+(\s+[\w:-]+="[^"<]*")*\s*\/?>$/);
  });
});

test('docs/images shows what bench/results has; npm run bench:chart draws it again', () => {
  const bench = readResults(pathOf('bench/results/bench.json'));
  const soak = readSoakResult(pathOf('bench/results/soak.json'));
  for (const [name, theme] of Object.entries(THEMES)) {
    assert.ok(imageOf(`bench-${name}`) === ratioChart(bench, theme), `bench-${name}.svg is not of these results`);
    assert.ok(imageOf(`soak-${name}`) === soakChart(soak, theme), `soak-${name}.svg is not of these results`);
  }
});

function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../${file}`, import.meta.url));
}

function imageOf(name: string): string {
  return readFileSync(pathOf(`docs/images/${name}.svg`), 'utf8');
}
