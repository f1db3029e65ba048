/** A run of text as pdf.js returns it: `transform[5]` is its baseline, measured from the bottom of the page. */
export interface TextRun {
  str: string;
  hasEOL: boolean;
  transform: number[];
  height: number;
}

/**
 * The runs of one page as lines. A word that is divided at a line's end is put together; a run that stands more than a line
 * and a half lower begins a paragraph.
 */
export function pageText(items: TextRun[]): string {
  let text = '';
  let last: { y: number; height: number } | undefined;
  for (const { str, hasEOL, transform, height } of items) {
    const y: number = transform[5];
    if (str && last && text.endsWith('\n') && last.y - y > 1.6 * Math.max(last.height, height)) text += '\n';
    if (str) last = { y, height };
    text += hasEOL ? `${str}\n` : str;
  }
  return text.replace(/(\p{L})[-\u00ad]\n(\p{Ll})/gu, '$1$2');
}
