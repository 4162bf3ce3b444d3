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
  // What happens under a pointer is of no use in a picture. Names count the charts of this process: without the count the
  // same results always give the same picture.
  const still = svg
    .replace(/<style[^>]*>[\s\S]*?<\/style>\n?/, '')
    .replace(/ class="zr[^"]*"/g, '')
    .replace(/\bzr\d+-/g, 'zr-');
  return `${still.replace(/<svg [^>]*>/, (tag) => `${tag.slice(0, -1)} role="img">\n<title>${title}</title>`)}\n`;
}
