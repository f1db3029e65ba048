import { type Quadtree, quadtree } from 'd3-quadtree';

/** Where points are on the map before it is zoomed, in pixels. */
export interface Places {
  x: Float32Array;
  y: Float32Array;
}

/** How far the map is zoomed and moved: a place p is shown at k · p + (x, y). As d3-zoom has it. */
export interface Transform {
  k: number;
  x: number;
  y: number;
}

/** A rectangle by two corners. */
export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface Fitted extends Places {
  /** Where a point of the data is. */
  place(point: { x: number; y: number }): { x: number; y: number };
}

/** Puts points [rows, 2] into the middle of a map, `margin` pixels from its edges, with as many pixels for one step across as up. */
export function fitPoints(points: Float32Array, width: number, height: number, margin: number): Fitted {
  const rows = points.length / 2;
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    low[i % 2] = Math.min(low[i % 2], points[i]);
    high[i % 2] = Math.max(high[i % 2], points[i]);
  }
  const [across, up] = [high[0] - low[0], high[1] - low[1]];
  const perStep = Math.min((width - 2 * margin) / (across || 1e-9), (height - 2 * margin) / (up || 1e-9));
  const place = ({ x, y }: { x: number; y: number }) => ({
    x: width / 2 + perStep * (x - (low[0] + high[0]) / 2),
    y: height / 2 - perStep * (y - (low[1] + high[1]) / 2),
  });
  const x = new Float32Array(rows);
  const y = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    const at = place({ x: points[2 * i], y: points[2 * i + 1] });
    x[i] = at.x;
    y[i] = at.y;
  }
  return { x, y, place };
}

/** Finds the point at a place of the map. */
export interface PointFinder {
  /** The nearest point within `reach`; all in pixels of the map before it is zoomed. */
  find(x: number, y: number, reach: number): number | undefined;
}

export function createFinder({ x, y }: Places): PointFinder {
  const tree: Quadtree<number> = quadtree<number>()
    .x((i) => x[i])
    .y((i) => y[i])
    .addAll(Array.from(x, (_, i) => i));
  return { find: (px, py, reach) => tree.find(px, py, reach) };
}

/** All points in a rectangle. */
export function pointsIn({ x, y }: Places, box: Box): number[] {
  const [left, right] = [Math.min(box.x0, box.x1), Math.max(box.x0, box.x1)];
  const [top, bottom] = [Math.min(box.y0, box.y1), Math.max(box.y0, box.y1)];
  const inside: number[] = [];
  for (let i = 0; i < x.length; i++) {
    if (x[i] >= left && x[i] <= right && y[i] >= top && y[i] <= bottom) inside.push(i);
  }
  return inside;
}

/** The point that an arrow key goes to: near, and rather ahead than aside. Undefined for other keys and at the edge. */
export function step({ x, y }: Places, from: number, key: string): number | undefined {
  const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!direction) return undefined;
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i] - x[from], y[i] - y[from]];
    const ahead = dx * direction[0] + dy * direction[1];
    const aside = Math.abs(dx * direction[1]) + Math.abs(dy * direction[0]);
    const cost = ahead + 2 * aside;
    if (i !== from && ahead > 0 && cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}
