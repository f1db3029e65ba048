/** A passage on the strip: where it begins and how long it is, as shares of the whole. */
export interface Cell {
  at: number;
  size: number;
}

/** Cells one after the other, as long as their texts. */
export function cellsOf(lengths: number[]): Cell[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  let before = 0;
  return lengths.map((length) => {
    const cell = { at: before / total, size: length / total };
    before += length;
    return cell;
  });
}

/** Which cell a point of the strip is in, 0 to 1; beyond its ends the first or the last. */
export function cellAt(cells: Cell[], point: number): number {
  const after = cells.findIndex(({ at, size }) => point < at + size);
  return after < 0 ? cells.length - 1 : after;
}

/** Points of the strip, moved apart so that labels on them, of so much of its length, do not cover each other; in their order. */
export function spread(points: number[], least: number): number[] {
  const order = [...points.keys()].sort((a, b) => points[a] - points[b]);
  const moved = [...points];
  for (const [i, point] of order.entries()) {
    const before = i === 0 ? Number.NEGATIVE_INFINITY : moved[order[i - 1]] + least;
    // Those that follow have room before the end.
    moved[point] = Math.max(before, Math.min(points[point], 1 - (order.length - 1 - i) * least));
  }
  return moved;
}

/** The cell that a key goes to; undefined for other keys. `page`: cells of a page. */
export function movedBy(key: string, current: number, cells: number, page = 10): number | undefined {
  const to = {
    ArrowDown: current + 1,
    ArrowRight: current + 1,
    ArrowUp: current - 1,
    ArrowLeft: current - 1,
    PageDown: current + page,
    PageUp: current - page,
    Home: 0,
    End: cells - 1,
  }[key];
  return to === undefined ? undefined : Math.max(0, Math.min(cells - 1, to));
}
