import { expect, it } from 'vitest';
import { clustersOf } from './clusters';

const TOPICS = ['ship', 'bread', 'wedding', 'atom'];

/** Texts of four topics in the corners of a map. */
function corners(rows: number) {
  const points = new Float32Array(2 * rows);
  const texts: string[] = [];
  for (let i = 0; i < rows; i++) {
    const topic = i % 4;
    points.set([10 * (topic % 2) + Math.cos(i), 10 * Math.floor(topic / 2) + Math.sin(i)], 2 * i);
    texts.push(`this is about a ${TOPICS[topic]} number${i}`);
  }
  return { points, texts };
}

it('names the places of a map, from 30 texts to thousands', () => {
  for (const rows of [30, 100, 5000]) {
    const { points, texts } = corners(rows);
    const { of, clusters } = clustersOf(points, texts);
    expect(of).toHaveLength(rows);
    for (const [c, { x, y, size, words, level }] of clusters.entries()) {
      if (level > 0 || size === 0) continue;
      expect(of.filter((cluster) => cluster === c)).toHaveLength(size);
      // Three clusters of four topics: one has two.
      if (rows > 30) expect(words).toEqual([TOPICS[2 * Math.round(y / 10) + Math.round(x / 10)]]);
    }
    for (const level of new Set(clusters.map((cluster) => cluster.level))) {
      const sizes = clusters.filter((cluster) => cluster.level === level).map(({ size }) => size);
      expect(sizes.reduce((a, b) => a + b)).toBe(rows);
    }
  }
});

it('has finer levels where there are texts for them', () => {
  const levels = (rows: number) => {
    const { points, texts } = corners(rows);
    return clustersOf(points, texts).clusters.reduce((most, { level }) => Math.max(most, level), 0);
  };
  expect([levels(30), levels(600), levels(2500)]).toEqual([0, 1, 2]);
});
