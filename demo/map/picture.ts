import { paint } from './paint';
import { fontOf, type Scene } from './scene';

/** Pixels of the file for one on the screen. */
const RATIO = 2;
const LINE = 20;

/** The map as a PNG file, with what the legend says. */
export function pngOf(scene: Scene, legend: readonly string[]): Promise<Blob> {
  const { width, height, palette } = scene;
  const below = legend.length > 0 ? LINE * legend.length + 12 : 0;
  const canvas = new OffscreenCanvas(width * RATIO, (height + below) * RATIO);
  const context = canvas.getContext('2d')!;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  paint(context, scene, RATIO);
  // A point at the lower edge may reach below it.
  context.fillStyle = palette.surface;
  context.fillRect(0, height, width, below);
  context.font = fontOf(false);
  context.textAlign = 'start';
  for (const [i, name] of legend.entries()) {
    const y = height + 16 + LINE * i;
    context.beginPath();
    context.arc(16, y, 5, 0, 2 * Math.PI);
    context.fillStyle = palette.groups[i];
    context.fill();
    context.fillStyle = palette.ink;
    context.fillText(name, 28, y);
  }
  return canvas.convertToBlob({ type: 'image/png' });
}
