import { element } from '../dom';

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

  function draw() {
    const context = canvas.getContext('2d');
    if (!context) return;
    const [low, high] = [colourOf(canvas, '--surface'), colourOf(canvas, '--heat')];
    const image = context.createImageData(rows, rows);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < rows; x++) {
        const share = Math.max(0, Math.min(1, all[order[y] * rows + order[x]]));
        const pixel = 4 * (y * rows + x);
        for (let c = 0; c < 3; c++) image.data[pixel + c] = low[c] + share * (high[c] - low[c]);
        image.data[pixel + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
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

  canvas.addEventListener('pointermove', ({ offsetX, offsetY }) =>
    show(Math.floor((offsetX / canvas.clientWidth) * rows), Math.floor((offsetY / canvas.clientHeight) * rows)),
  );
  canvas.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    caption.ariaLive = 'polite'; // only keys are spoken of
    show(at.x + move[0], at.y + move[1]);
  });
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', function redraw() {
    if (canvas.isConnected) draw();
    else media.removeEventListener('change', redraw);
  });
  requestAnimationFrame(draw); // colours are known once the canvas is in the page
  return element('figure', { className: 'heat-image' }, canvas, caption);
}

/** A custom property of the page, written as #rrggbb. */
function colourOf(place: Element, property: string): number[] {
  const value = getComputedStyle(place).getPropertyValue(property).trim();
  return [1, 3, 5].map((start) => Number.parseInt(value.slice(start, start + 2), 16));
}
