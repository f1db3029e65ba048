import type { Rgb } from './discs';
import { COLOURS } from './groups';

/** The colours of a map, as the style sheet has them now. */
export interface Palette {
  surface: string;
  ink: string;
  quiet: string;
  accent: string;
  tape: string;
  onTape: string;
  groups: string[];
}

/** Reads the custom properties of an element: they differ in the dark and in forced colours. */
export function readPalette(place: Element): Palette {
  const style = getComputedStyle(place);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    surface: read('surface'),
    ink: read('ink'),
    quiet: read('quiet'),
    accent: read('accent'),
    tape: read('tape'),
    onTape: read('on-tape'),
    groups: Array.from({ length: COLOURS }, (_, i) => read(`group-${i + 1}`)),
  };
}

const known = new Map<string, Rgb>();
let pixel: OffscreenCanvasRenderingContext2D | undefined;

/** A colour as numbers, however the style sheet writes it. */
export function rgbOf(colour: string): Rgb {
  const before = known.get(colour);
  if (before) return before;
  pixel ??= new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
  const rgb: Rgb = [red, green, blue];
  known.set(colour, rgb);
  return rgb;
}

/** Calls back when the colours change. */
export function onPaletteChange(listener: () => void): void {
  for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
    matchMedia(query).addEventListener('change', () => {
      known.clear(); // the system's colours have names that stay
      listener();
    });
  }
}
