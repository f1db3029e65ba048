/** A label that may be drawn, in pixels. */
export interface LabelCandidate {
  width: number;
  height: number;
  /** Where its middle may be, the best place first. */
  places: { x: number; y: number }[];
}

export interface PlacedLabel {
  /** Which candidate. */
  index: number;
  /** Its middle. */
  x: number;
  y: number;
}

/** Pixels between two labels, at least. */
const GAP = 4;

/** Places labels one after the other, each at its first place that is free; one that has none is left out. None overlaps another or the edge. */
export function placeLabels(candidates: LabelCandidate[], width: number, height: number): PlacedLabel[] {
  const placed: (PlacedLabel & { width: number; height: number })[] = [];
  for (const [index, label] of candidates.entries()) {
    if (label.width > width || label.height > height) continue;
    for (const place of label.places) {
      if (place.x < 0 || place.y < 0 || place.x > width || place.y > height) continue;
      const x = clamp(place.x, label.width / 2, width - label.width / 2);
      const y = clamp(place.y, label.height / 2, height - label.height / 2);
      const isTaken = placed.some(
        (other) =>
          Math.abs(other.x - x) < (other.width + label.width) / 2 + GAP &&
          Math.abs(other.y - y) < (other.height + label.height) / 2 + GAP,
      );
      if (isTaken) continue;
      placed.push({ index, x, y, width: label.width, height: label.height });
      break;
    }
  }
  return placed.map(({ index, x, y }) => ({ index, x, y }));
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
