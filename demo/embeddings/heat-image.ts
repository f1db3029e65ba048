import { element } from '../dom';
import { onPaletteChange } from '../map/palette';

/** Milliseconds of drawing before the page may do something else. */
const SLICE = 8;

/** Draws the latest image again. One listener for all of them: an image that is gone, with its cosines, can be forgotten. */
let redraw: (() => void) | undefined;
onPaletteChange(() => redraw?.());

/**
 * For many texts: all pairs as an image, one pixel a pair, rows and columns in `order`. The pair under the pointer, or under the
 * cursor that the arrow keys move, stands below it in words.
 */
export function heatImage(texts: string[], all: Float32Array, order: number[]): HTMLElement {
  const rows = texts.length;
  const canvas = element('canvas', { width: rows, height: rows, tabIndex: 0, role: 'img' }) as HTMLCanvasElement;
  canvas.ariaLabel = `Cosines of all pairs of ${rows} texts, like beside like. Arrow keys go from pair to pair.`;
  const caption = element(
    'figcaption',
    {},
    'Point at the image, or go through it with the arrow keys, to see which texts a pixel compares.',
  );
  const at = { x: -1, y: 0 };

  let latest = 0;

  /** A few milliseconds a frame: 2,000 texts are four million pixels. */
  async function draw() {
    const run = ++latest;
    const context = canvas.getContext('2d');
    if (!context) return;
    const palette = paletteOf(canvas, context);
    const line = context.createImageData(rows, 1);
    const pixels = new Uint32Array(line.data.buffer);
    let start = performance.now();
    for (const [y, i] of order.entries()) {
      for (let x = 0; x < rows; x++) {
        pixels[x] = palette[Math.round(255 * Math.max(0, Math.min(1, all[i * rows + order[x]])))];
      }
      context.putImageData(line, 0, y);
      if (performance.now() - start < SLICE) continue;
      await new Promise(requestAnimationFrame);
      if (run !== latest || !canvas.isConnected) return;
      start = performance.now();
    }
  }

  function show(x: number, y: number) {
    at.x = Math.max(0, Math.min(rows - 1, x));
    at.y = Math.max(0, Math.min(rows - 1, y));
    const [i, j] = [order[at.y], order[at.x]];
    const name = (k: number) => `${k + 1} “${texts[k].slice(0, 90)}${texts[k].length > 90 ? '…' : ''}”`;
    caption.replaceChildren(
      element('strong', {}, `${all[i * rows + j].toFixed(2)} `),
      i === j ? name(i) : `${name(i)} and ${name(j)}`,
    );
  }

  for (const type of ['pointerdown', 'pointermove'] as const) {
    canvas.addEventListener(type, ({ offsetX, offsetY }) =>
      show(Math.floor((offsetX / canvas.clientWidth) * rows), Math.floor((offsetY / canvas.clientHeight) * rows)),
    );
  }
  canvas.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    caption.ariaLive = 'polite'; // only keys are spoken of
    show(at.x + move[0], at.y + move[1]);
  });
  redraw = () => void draw();
  requestAnimationFrame(() => void draw()); // colours are known once the canvas is in the page
  return element('figure', { className: 'heat-image' }, canvas, caption);
}

/** The colours of cosines from 0 to 1 in 256 steps, as an image's data in 32 bits a pixel. */
function paletteOf(place: Element, context: CanvasRenderingContext2D): Uint32Array {
  const [low, high] = ['--surface', '--heat'].map((property) => colourOf(place, property, context));
  const bytes = new Uint8ClampedArray(4 * 256).fill(255);
  for (let step = 0; step < 256; step++) {
    for (let c = 0; c < 3; c++) bytes[4 * step + c] = low[c] + (step / 255) * (high[c] - low[c]);
  }
  return new Uint32Array(bytes.buffer);
}

/** Red, green and blue of a custom property, however the style sheet writes it: the built one has #fff. */
function colourOf(place: Element, property: string, context: CanvasRenderingContext2D): number[] {
  context.fillStyle = getComputedStyle(place).getPropertyValue(property).trim();
  const value = String(context.fillStyle); // #rrggbb for every opaque colour
  return [1, 3, 5].map((start) => Number.parseInt(value.slice(start, start + 2), 16));
}
