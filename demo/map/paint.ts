import { BACK, fontOf, HIT_RADIUS, onScreen, radiusOf, SANS, type Scene } from './scene';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Draws the map. `ratio`: pixels of the canvas for one of the page. */
export function paint(context: Context, scene: Scene, ratio: number): void {
  const { width, height, palette } = scene;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, Math.ceil(width * ratio), Math.ceil(height * ratio));
  paintPoints(context, scene, ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  paintLines(context, scene);
  for (const i of scene.selected) ring(context, scene, i, palette.tape, palette.ink);
  paintHits(context, scene);
  for (const i of scene.near) ring(context, scene, i, palette.accent, palette.surface);
  if (scene.pointed !== undefined) ring(context, scene, scene.pointed, palette.ink, palette.surface, 2);
  paintLabels(context, scene);
}

/** Thousands of points: each colour is drawn once and copied, at whole pixels, where it need not be filtered. */
function paintPoints(context: Context, scene: Scene, ratio: number): void {
  const { places, transform, palette, colours, dimmed, width, height } = scene;
  const radius = radiusOf(colours.length, transform.k) * ratio;
  const sprites = [...palette.groups.map((colour) => sprite(colour, radius, 0.8)), sprite(palette.quiet, radius, 0.25)];
  const half = sprites[0].width / 2;
  const [k, dx, dy] = [transform.k * ratio, transform.x * ratio, transform.y * ratio];
  const draw = (isBack: boolean) => {
    for (let i = 0; i < colours.length; i++) {
      if (dimmed !== undefined && (dimmed[i] === 1) !== isBack) continue;
      const x = k * places.x[i] + dx;
      const y = k * places.y[i] + dy;
      if (x < -half || y < -half || x > width * ratio + half || y > height * ratio + half) continue;
      context.drawImage(sprites[isBack ? BACK : colours[i]], Math.round(x - half), Math.round(y - half));
    }
  };
  if (dimmed) draw(true);
  draw(false);
}

function sprite(colour: string, radius: number, opacity: number): OffscreenCanvas {
  const size = Math.ceil(radius) * 2 + 2;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext('2d')!;
  context.globalAlpha = opacity;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(size / 2, size / 2, radius, 0, 2 * Math.PI);
  context.fill();
  return canvas;
}

function paintLines(context: Context, scene: Scene): void {
  if (scene.pointed === undefined) return;
  const from = onScreen(scene, scene.pointed);
  context.strokeStyle = scene.palette.accent;
  context.lineWidth = 1.25;
  context.beginPath();
  for (const i of scene.near) {
    const to = onScreen(scene, i);
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
  }
  context.stroke();
}

function ring(context: Context, scene: Scene, i: number, fill: string, stroke: string, larger = 1): void {
  const { x, y } = onScreen(scene, i);
  context.beginPath();
  context.arc(x, y, Math.max(4, radiusOf(scene.colours.length, scene.transform.k)) + larger, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.strokeStyle = stroke;
  context.lineWidth = 1.5;
  context.fill();
  context.stroke();
}

/** What a search found, with ranks; the best last, above the others. */
function paintHits(context: Context, scene: Scene): void {
  context.font = `600 11px ${SANS}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const [rank, i] of [...scene.hits.entries()].reverse()) {
    const { x, y } = onScreen(scene, i);
    context.beginPath();
    context.arc(x, y, HIT_RADIUS, 0, 2 * Math.PI);
    context.fillStyle = scene.palette.tape;
    context.strokeStyle = scene.palette.onTape;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
    context.fillStyle = scene.palette.onTape;
    context.fillText(String(rank + 1), x, y + 0.5);
  }
}

/** Each with a rim in the map's colour, so that it can be read above points. */
function paintLabels(context: Context, { labels, palette }: Scene): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.strokeStyle = palette.surface;
  context.lineWidth = 4;
  context.fillStyle = palette.ink;
  for (const { text, x, y, isCluster } of labels) {
    context.font = fontOf(isCluster);
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }
}
