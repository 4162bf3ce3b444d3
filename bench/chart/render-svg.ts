import * as echarts from 'echarts';

/** Draws a chart without a browser. `title` and `description` are what a screen reader says. */
export function renderSvg(
  option: echarts.EChartsOption,
  size: { readonly width: number; readonly height: number; readonly title: string },
): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: size.width, height: size.height });
  chart.setOption({ animation: false, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const title = size.title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  // What happens under a pointer, named by numbers that go on from chart to chart: a picture has no use for it.
  const still = svg.replace(/<style[^>]*>[\s\S]*?<\/style>\n?/, '').replace(/ class="zr[^"]*"/g, '');
  return `${still.replace(/<svg [^>]*>/, (tag) => `${tag.slice(0, -1)} role="img">\n<title>${title}</title>`)}\n`;
}
