import type { Places, Transform } from './geometry';
import type { Palette } from './palette';

/** All that a picture of the map shows; drawn on a canvas by paint.ts, and as SVG by svg.ts. */
export interface Scene {
  width: number;
  height: number;
  places: Places;
  transform: Transform;
  palette: Palette;
  /** For each point an index into the palette's groups. */
  colours: Uint8Array;
  /** For each point 1 if it stands back; undefined if none does. */
  dimmed: Uint8Array | undefined;
  /** Points that a search found, best first. */
  hits: readonly number[];
  selected: ReadonlySet<number>;
  pointed: number | undefined;
  /** The points nearest to the pointed one in meaning. */
  near: readonly number[];
  labels: readonly SceneLabel[];
}

export interface SceneLabel {
  text: string;
  /** Its middle on the screen. */
  x: number;
  y: number;
  /** Of a cluster, else of one point. */
  isCluster: boolean;
}

/** The radius of a found point's mark, which has its rank in it. */
export const HIT_RADIUS = 10;
export const SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';
/** For `font`: clusters by name, points by a text of their own. */
export const fontOf = (isCluster: boolean): string => (isCluster ? `600 13px ${SANS}` : `12px ${SANS}`);

/** Pixels of a point: smaller where there are many, and a little larger as one zooms in. */
export function radiusOf(points: number, zoom: number): number {
  const radius = points > 8000 ? 1.75 : points > 1000 ? 2.5 : points > 200 ? 3.5 : 5.5;
  return Math.min(7, radius * zoom ** 0.4);
}

/** Where a point is on the screen. */
export const onScreen = ({ places, transform }: Scene, i: number): { x: number; y: number } => ({
  x: transform.k * places.x[i] + transform.x,
  y: transform.k * places.y[i] + transform.y,
});
