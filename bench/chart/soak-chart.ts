import type { Growth, Sample } from '../soak/growth.ts';
import type { SoakResult } from '../soak/soak-result.ts';
import { renderSvg } from './render-svg.ts';
import { FONT, type Theme } from './theme.ts';

const WIDTH = 890;
const HEIGHT = 430;
const PLOTS = [
  { top: 92, height: 120 },
  { top: 260, height: 100 },
] as const;
const LEFT = 70;
const RIGHT = 45;

/** Resident memory and descriptors over the time of a soak, both from zero, with a line at each restart. */
export function soakChart(result: SoakResult, theme: Theme): string {
  const { samples, restarts, machine } = result;
  const title = `${result.minutes} minutes at 5 MB/s, ${result.rotations} rotations, ${restarts.length} restarts`;
  const minutes = (seconds: number): number => Math.round((seconds / 60) * 1000) / 1000;
  const text = { color: theme.faint, fontFamily: FONT, fontSize: 13 };
  const plot = (index: 0 | 1, name: string, colour: string, value: (sample: Sample) => number) => ({
    type: 'line' as const,
    xAxisIndex: index,
    yAxisIndex: index,
    name,
    showSymbol: false,
    // A restart is no slope from the one process to the next: the line ends there.
    data: [
      ...samples.map((sample): [number, number | null] => [minutes(sample.seconds), value(sample)]),
      ...restarts.map(({ seconds }): [number, number | null] => [minutes(seconds), null]),
    ].sort(([a], [b]) => a - b),
    lineStyle: { color: colour, width: 2 },
    markLine: {
      symbol: 'none',
      label: { show: false },
      lineStyle: { color: theme.faint, type: 'dotted' as const },
      data: restarts.map(({ seconds }) => ({ xAxis: minutes(seconds) })),
    },
  });
  const heading = (top: number, words: string) => ({
    text: words,
    left: LEFT - 40,
    top: top - 28,
    textStyle: { color: theme.text, fontFamily: FONT, fontSize: 13 },
  });
  const axis = { nameTextStyle: text, axisLabel: text, splitLine: { lineStyle: { color: theme.grid } } };
  return renderSvg(
    {
      backgroundColor: theme.background,
      title: [
        {
          text: title,
          subtext: `${result.events.toLocaleString('en-US')} events written, ${result.lost} lost, ${result.duplicated} duplicated. Dotted: restarts.`,
          left: 20,
          top: 14,
          textStyle: { color: theme.text, fontFamily: FONT, fontSize: 18 },
          subtextStyle: text,
        },
        {
          text: `${machine.cores} cores of ${machine.cpu}, ${machine.kernel}, Node ${machine.node}, ${result.date}`,
          left: 20,
          bottom: 8,
          textStyle: { ...text, fontSize: 12, fontWeight: 'normal' },
        },
        heading(PLOTS[0].top, `resident memory, MB${growthText(result.memory, 1e6)}`),
        heading(PLOTS[1].top, `descriptors${growthText(result.descriptors, 1)}`),
      ],
      grid: PLOTS.map(({ top, height }) => ({ top, height, left: LEFT, right: RIGHT })),
      xAxis: PLOTS.map((_, gridIndex) => ({
        ...axis,
        type: 'value' as const,
        gridIndex,
        min: 0,
        max: result.minutes,
        splitLine: { show: false },
        axisLabel: { ...text, formatter: '{value} min' },
      })),
      yAxis: PLOTS.map((_, gridIndex) => ({
        ...axis,
        type: 'value' as const,
        gridIndex,
        min: 0,
        splitNumber: 3,
      })),
      series: [
        plot(0, 'memory', theme.neutral, ({ residentBytes }) => residentBytes / 1e6),
        plot(1, 'descriptors', theme.second, ({ descriptors }) => descriptors),
      ],
    },
    { width: WIDTH, height: HEIGHT, title: `Memory and descriptors of a soak: ${title}` },
  );
}

function growthText(growth: Growth | undefined, unit: number): string {
  if (growth === undefined) return ': the run was too short to judge it';
  const print = (n: number): string => (n / unit).toFixed(0);
  return `: median of the second quarter ${print(growth.second)}, of the last ${print(growth.last)}`;
}
