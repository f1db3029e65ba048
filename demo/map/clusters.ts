import { kMeans } from './k-means';
import { nameClusters, wordsOf } from './names';

/** Fewer texts have too few words in common: the map then shows the texts themselves. */
export const NAMED_LEAST = 30;
/** Clusters on the first level, the whole map: one for so many texts, up to as many as colours that can be told apart. */
const FIRST = { least: 3, most: 10, texts: 10 };
/** Each level has so many clusters for one of the level before: zooming in by 2 shows a quarter of the map. */
const FINER = 4;
const LEVELS = 3;
/** Mean size of the smallest clusters, at least. */
const SIZE = 12;
const WORDS = 3;

/** A part of the map. */
export interface Cluster {
  /** Its middle. */
  x: number;
  y: number;
  size: number;
  /** 0: of the whole map; 1 and 2: of what is seen zoomed in by 2 and by 4. */
  level: number;
  /** What sets it apart, best first. */
  words: string[];
}

export interface NamedClusters {
  /** For each point its cluster of level 0, in the order of `clusters`. */
  of: Int32Array;
  /** Level by level; those of level 0 are first. */
  clusters: Cluster[];
}

/** Divides a map, points [rows, 2], into clusters (k-means, so that each is one place of the map) and names them by their texts. */
export function clustersOf(points: Float32Array, texts: string[]): NamedClusters {
  const rows = texts.length;
  const first = Math.max(FIRST.least, Math.min(FIRST.most, Math.round(rows / FIRST.texts)));
  const words = texts.map(wordsOf);
  let of: Int32Array | undefined;
  const clusters: Cluster[] = [];
  for (let level = 0; level < LEVELS; level++) {
    const k = first * FINER ** level;
    if (level > 0 && rows / k < SIZE) break;
    const found = kMeans(points, rows, 2, k);
    of ??= found.of;
    const names = nameClusters(words, found.of, k, WORDS);
    const sizes = new Int32Array(k);
    for (const c of found.of) sizes[c]++;
    for (let c = 0; c < k; c++) {
      clusters.push({ x: found.centres[2 * c], y: found.centres[2 * c + 1], size: sizes[c], level, words: names[c] });
    }
  }
  return { of: of ?? new Int32Array(rows), clusters };
}
