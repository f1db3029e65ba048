import { drawDiscs } from './discs';
import { rgbOf } from './palette';
import { fontOf, HIT_RADIUS, onScreen, radiusOf, SANS, type Scene } from './scene';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Draws the map. `ratio`: pixels of the canvas for one of the page. */
export function paint(context: Context, scene: Scene, ratio: number): void {
  const { palette } = scene;
  paintPoints(context, scene, ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  paintLines(context, scene);
  for (const i of scene.selected) ring(context, scene, i, palette.tape, palette.ink);
  paintHits(context, scene);
  for (const i of scene.near) ring(context, scene, i, palette.accent, palette.surface);
  if (scene.pointed !== undefined) ring(context, scene, scene.pointed, palette.ink, palette.surface, 2);
  paintLabels(context, scene);
}

/** The picture that a canvas had last, to be filled again. */
const images = new WeakMap<Context, ImageData>();

function imageOf(context: Context, width: number, height: number): ImageData {
  const known = images.get(context);
  if (known?.width === width && known.height === height) return known;
  const image = context.createImageData(width, height);
  images.set(context, image);
  return image;
}

/** What stands back first, then the others. */
function paintPoints(context: Context, scene: Scene, ratio: number): void {
  const { places, transform, palette, colours, dimmed } = scene;
  const image = imageOf(context, Math.round(scene.width * ratio), Math.round(scene.height * ratio));
  const [surface, quiet, groups] = [rgbOf(palette.surface), rgbOf(palette.quiet), palette.groups.map(rgbOf)];
  new Uint32Array(image.data.buffer).fill(0xff000000 | (surface[2] << 16) | (surface[1] << 8) | surface[0]);
  const discs = {
    places,
    transform: { k: transform.k * ratio, x: transform.x * ratio, y: transform.y * ratio },
    radius: radiusOf(colours.length, transform.k) * ratio,
  };
  if (dimmed) drawDiscs(image, { ...discs, opacity: 0.25, colourOf: (i) => (dimmed[i] ? quiet : undefined) });
  drawDiscs(image, { ...discs, opacity: 0.8, colourOf: (i) => (dimmed?.[i] ? undefined : groups[colours[i]]) });
  context.putImageData(image, 0, 0);
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
