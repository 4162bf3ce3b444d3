import { type Figure, printMeasured, printTarget, verdictOf } from '../harness/figure.ts';
import type { Results } from '../harness/results-file.ts';
import { renderSvg } from './render-svg.ts';
import { FONT, type Theme } from './theme.ts';

const WIDTH = 890;
const ROW_HEIGHT = 46;
const MARGIN = { top: 78, bottom: 58, left: 300, right: 180 };

/** The figures in which more is better, and which have a reference: the chart's bars, from top to bottom. */
const BARS: Readonly<Record<string, string>> = {
  'gzip-6': 'gzip 6 : pigz -6 on all cores',
  'gzip-1': 'gzip 1 : pigz -1 on all cores',
  'zstd-1': 'zstd 1 : our gzip 6',
  rsyslog: 'gzip 6 : rsyslog, the same job',
  jq: 'gzip 6 : jq -c . into /dev/null',
  ndjson: 'NDJSON over HTTP : our files',
};

/** Bars from zero for how many times as fast auditail is as each reference, with a mark where its target is. */
export function ratioChart(results: Results, theme: Theme): string {
  const figures = Object.values(results.benchmarks).flatMap((entry) => entry.figures);
  const bars = Object.entries(BARS).flatMap(([id, label]) => {
    const figure = figures.find((one) => one.id === id);
    return figure?.measured === undefined ? [] : [{ label, figure, measured: figure.measured }];
  });
  const { machine } = results;
  const height = MARGIN.top + bars.length * ROW_HEIGHT + MARGIN.bottom;
  const title = 'Catching up with a log: how many times as fast';
  const axisLabel = { color: theme.faint, fontFamily: FONT, fontSize: 13 };
  const colourOf = (figure: Figure): string => {
    const verdict = verdictOf(figure);
    return verdict === 'met' ? theme.met : verdict === 'missed' ? theme.missed : theme.neutral;
  };
  return renderSvg(
    {
      backgroundColor: theme.background,
      title: [
        {
          text: title,
          subtext: 'auditail : reference. More is better; the mark is the target.',
          left: 20,
          top: 14,
          textStyle: { color: theme.text, fontFamily: FONT, fontSize: 18 },
          subtextStyle: { color: theme.faint, fontFamily: FONT, fontSize: 13 },
        },
        {
          text: `${machine.cores} cores of ${machine.cpu}, ${machine.kernel}, Node ${machine.node}, ${datesOf(results)}`,
          left: 20,
          bottom: 8,
          textStyle: { color: theme.faint, fontFamily: FONT, fontSize: 12, fontWeight: 'normal' },
        },
      ],
      grid: { ...MARGIN },
      xAxis: {
        type: 'value',
        min: 0,
        max: axisEnd(bars.map(({ figure }) => figure)),
        axisLabel: { ...axisLabel, formatter: '{value} ×' },
        splitLine: { lineStyle: { color: theme.grid } },
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: bars.map(({ label }) => label),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: theme.faint } },
        axisLabel: { ...axisLabel, color: theme.text, fontSize: 14 },
      },
      series: [
        {
          type: 'bar',
          barWidth: 20,
          data: bars.map(({ figure, measured }) => ({
            value: measured,
            itemStyle: { color: colourOf(figure) },
          })),
        },
        {
          type: 'scatter',
          symbol: 'rect',
          symbolSize: [4, 32],
          itemStyle: { color: theme.text },
          data: bars.flatMap(({ label, figure: { target } }) =>
            target !== undefined && 'atLeast' in target ? [[target.atLeast, label]] : [],
          ),
        },
      ],
      graphic: bars.map(({ figure }, index) => ({
        type: 'text',
        left: WIDTH - MARGIN.right + 16,
        top: MARGIN.top + index * ROW_HEIGHT + 7,
        style: {
          text: `{figure|${printMeasured(figure)}}\n{target|${targetText(figure)}}`,
          rich: {
            figure: { fill: colourOf(figure), fontFamily: FONT, fontSize: 15, fontWeight: 'bold', lineHeight: 18 },
            target: { fill: theme.faint, fontFamily: FONT, fontSize: 12, lineHeight: 14 },
          },
        },
      })),
    },
    { width: WIDTH, height, title: `${title}: ${bars.map(spoken).join('; ')}` },
  );
}

/** Beyond the longest bar and the furthest mark, which is to stand free. */
function axisEnd(figures: readonly Figure[]): number {
  const ends = figures.flatMap(({ measured = 0, target }) =>
    target !== undefined && 'atLeast' in target ? [measured, target.atLeast] : [measured],
  );
  return Math.floor(Math.max(...ends) + 1);
}

/** With the verdict in words: colours alone are not for everybody. */
function targetText(figure: Figure): string {
  const { target, unit } = figure;
  return target === undefined ? 'no target' : `${printTarget(target, unit)}: ${verdictOf(figure)}`;
}

function spoken({ label, figure }: { label: string; figure: Figure }): string {
  return `${label} ${printMeasured(figure)}`;
}

/** The first and the last day on which something of it was measured. */
function datesOf({ benchmarks }: Results): string {
  const dates = Object.values(benchmarks)
    .map(({ date }) => date)
    .sort();
  return dates[0] === dates.at(-1) ? dates[0]! : `${dates[0]} to ${dates.at(-1)}`;
}
