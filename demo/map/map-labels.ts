import type { Cluster } from './clusters';
import { NAMED_LEAST } from './clusters';
import type { Fitted, Transform } from './geometry';
import { type LabelCandidate, placeLabels } from './labels';
import { fontOf, HIT_RADIUS, radiusOf, type SceneLabel } from './scene';

/** Where so many points or fewer are seen, they show their own texts. */
const OWN_TEXTS = 40;
/** Characters of a point's own text. */
const LONGEST = 28;
const HEIGHT = 18;
/** Pixels between a point and its text. */
const AWAY = 5;
/** A narrower map shows two words of each cluster. */
const NARROW = 560;

export interface LabelSource {
  texts: readonly string[];
  clusters: readonly Cluster[];
  hits: readonly number[];
}

/**
 * The labels of what is seen now: the largest clusters first, finer ones the more the map is zoomed in, then points by their own texts. `measure` gives
 * the width of a text in pixels.
 */
export function labelsOf(
  { texts, clusters, hits }: LabelSource,
  { x, y, place }: Fitted,
  { width, height }: { width: number; height: number },
  transform: Transform,
  measure: (text: string, font: string) => number,
): SceneLabel[] {
  const { k } = transform;
  const shown = (at: { x: number; y: number }) => ({ x: k * at.x + transform.x, y: k * at.y + transform.y });
  const isSeen = (at: { x: number; y: number }) => at.x >= 0 && at.y >= 0 && at.x <= width && at.y <= height;
  const labels: { text: string; isCluster: boolean }[] = [];
  const candidates: LabelCandidate[] = [];
  const add = (
    text: string,
    isCluster: boolean,
    places: { x: number; y: number }[],
    width: number,
    height: number = HEIGHT,
  ) => {
    labels.push({ text, isCluster });
    candidates.push({ width, height, places });
  };

  /** The points that show their own texts: all that are seen, if they are few. */
  function pointsSeen(): number[] {
    const seen: number[] = [];
    if (k === 1 && texts.length >= NAMED_LEAST) return seen;
    for (let i = 0; i < texts.length && seen.length <= OWN_TEXTS; i++) {
      if (isSeen(shown({ x: x[i], y: y[i] }))) seen.push(i);
    }
    return seen.length <= OWN_TEXTS ? seen : [];
  }

  const keepFree = (i: number, radius: number) => add('', false, [shown({ x: x[i], y: y[i] })], 2 * radius, 2 * radius);

  for (const i of hits) keepFree(i, HIT_RADIUS);
  const own = pointsSeen();
  const radius = radiusOf(texts.length, k);
  for (const i of own) keepFree(i, radius);

  const finest = clusters.reduce((most, { level }) => Math.max(most, level), 0);
  const level = Math.min(finest, Math.floor(Math.log2(k) + 0.01));
  const words = level > 0 || width < NARROW ? 2 : 3;
  const seen = clusters.filter((cluster) => cluster.level === level && cluster.words.length > 0);
  const names = new Set<string>();
  for (const cluster of seen.sort((a, b) => b.size - a.size)) {
    const middle = shown(place(cluster));
    if (!isSeen(middle)) continue;
    const text = cluster.words.slice(0, words).join(', ');
    if (names.has(text)) continue; // a larger cluster beside it has the same name
    names.add(text);
    const places = [0, -1, 1, -2, 2].map((lines) => ({ x: middle.x, y: middle.y + lines * HEIGHT }));
    add(text, true, places, measure(text, fontOf(true)));
  }

  for (const i of own) {
    const text = shortened(texts[i]);
    const textWidth = measure(text, fontOf(false));
    const at = shown({ x: x[i], y: y[i] });
    const aside = textWidth / 2 + radius + AWAY;
    const above = HEIGHT / 2 + radius + AWAY;
    const places = [
      { x: at.x + aside, y: at.y },
      { x: at.x - aside, y: at.y },
      { x: at.x, y: at.y - above },
      { x: at.x, y: at.y + above },
    ].filter((middle) => middle.x >= textWidth / 2 && middle.x <= width - textWidth / 2);
    add(text, false, places, textWidth);
  }

  return placeLabels(candidates, width, height)
    .filter(({ index }) => labels[index].text !== '')
    .map(({ index, x, y }) => ({ ...labels[index], x, y }));
}

/** A text's beginning, to the end of a word if one is near. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= LONGEST) return line;
  const cut = line.slice(0, LONGEST);
  const space = cut.lastIndexOf(' ');
  return `${(space > LONGEST / 2 ? cut.slice(0, space) : cut).replace(/[\s.,;:]+$/, '')}…`;
}
