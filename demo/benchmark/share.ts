// Results as files: JSON for programs, a picture of charts and facts for people.
import { element, showError } from '../dom';
import { largest } from '../extremes';
import { saveFile } from '../take-away/save-file';

/** What can be saved: the report, and what a picture of it shows. */
export interface Shared {
  /** The files' name, without an ending. */
  name: string;
  report: unknown;
  title: string;
  facts: string[];
  charts: SVGSVGElement[];
}

/** Puts the buttons that save into `form`. Gives back what they are to save; undefined: nothing yet. */
export function createShare(form: HTMLElement, error: HTMLElement): (shared: Shared | undefined) => void {
  let current: Shared | undefined;
  const button = (label: string, save: (shared: Shared) => Promise<void>) => {
    const made = element('button', { type: 'button', disabled: true }, label);
    made.addEventListener('click', () => {
      if (current) save(current).catch((reason) => showError(error, reason));
    });
    return made;
  };
  const buttons = [
    button('Save as JSON', async ({ name, report }) => {
      saveFile(`${name}.json`, new Blob([JSON.stringify(report, null, 1)], { type: 'application/json' }));
    }),
    button('Save as image', async ({ name, title, facts, charts }) => {
      saveFile(`${name}.png`, await pictureOf(title, facts, charts, document.body));
    }),
  ];
  form.append(...buttons);
  return (shared) => {
    current = shared;
    for (const made of buttons) made.disabled = shared === undefined;
  };
}

const MARGIN = 32;
const LINE = 22;

/** A title, lines of facts and charts (of `width` pixels), one under the other, as a PNG twice as dense. Colours are as the page shows them. */
async function pictureOf(title: string, facts: string[], charts: SVGSVGElement[], page: HTMLElement): Promise<Blob> {
  const { color, backgroundColor, fontFamily } = getComputedStyle(page);
  const sizes = charts.map(({ width, height }) => ({ width: width.baseVal.value, height: height.baseVal.value }));
  const width = 2 * MARGIN + largest([760, ...sizes.map((size) => size.width)]);
  const head = 2 * MARGIN + LINE * facts.length;
  const height = head + sizes.reduce((sum, size) => sum + size.height + MARGIN, 0);

  const canvas = document.createElement('canvas');
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  const context = canvas.getContext('2d')!;
  context.scale(2, 2);
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, width, height);
  context.fillStyle = color;
  context.font = `600 20px ${fontFamily}`;
  context.fillText(title, MARGIN, MARGIN + 12, width - 2 * MARGIN);
  context.font = `14px ${fontFamily}`;
  for (const [i, fact] of facts.entries()) {
    context.fillText(fact, MARGIN, MARGIN + 12 + LINE * (i + 1), width - 2 * MARGIN);
  }
  let top = head;
  for (const [i, chart] of charts.entries()) {
    context.drawImage(await imageOf(chart, color, fontFamily), MARGIN, top, sizes[i].width, sizes[i].height);
    top += sizes[i].height + MARGIN;
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser made no picture.'))), 'image/png');
  });
}

async function imageOf(chart: SVGSVGElement, color: string, fontFamily: string): Promise<HTMLImageElement> {
  const copy = chart.cloneNode(true) as SVGSVGElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('color', color); // Plot draws in currentColor
  copy.setAttribute('font-family', fontFamily);
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}
