import stringWidth from 'string-width';

const ELLIPSIS = '…';

const characters = new Intl.Segmenter();

/** Columns that a terminal takes for a text without control characters; CJK characters take two. */
export function textWidth(text: string): number {
  return stringWidth(text);
}

/** The text in at most `width` columns, with `…` for the end, or the start, that has no room. */
export function cutText(text: string, width: number, end: 'start' | 'end' = 'end'): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  const parts = [...characters.segment(text)].map(({ segment }) => segment);
  let kept = '';
  for (const part of end === 'end' ? parts : parts.reverse()) {
    const longer = end === 'end' ? kept + part : part + kept;
    if (textWidth(end === 'end' ? longer + ELLIPSIS : ELLIPSIS + longer) > width) break;
    kept = longer;
  }
  return end === 'end' ? kept + ELLIPSIS : ELLIPSIS + kept;
}
