import { expect, it } from 'vitest';
import { kMeans } from './k-means';

/** `size` points around each of some middles. */
const around = (middles: number[][], size: number) =>
  Float32Array.from(
    middles.flatMap(([x, y]) =>
      Array.from({ length: size }, (_, i) => [x + Math.cos(i) / 2, y + Math.sin(i) / 2]).flat(),
    ),
  );

it('finds clusters that lie apart, the same ones every time', () => {
  const middles = [
    [0, 0],
    [10, 0],
    [0, 10],
    [10, 10],
  ];
  for (const size of [8, 3000]) {
    const data = around(middles, size);
    const { of, centres } = kMeans(data, 4 * size, 2, 4);
    for (let group = 0; group < 4; group++) {
      const clusters = new Set(of.slice(group * size, (group + 1) * size));
      expect(clusters.size).toBe(1);
      const [cluster] = clusters;
      expect(Math.abs(centres[2 * cluster] - middles[group][0])).toBeLessThan(0.2);
      expect(Math.abs(centres[2 * cluster + 1] - middles[group][1])).toBeLessThan(0.2);
    }
    expect(new Set(of).size).toBe(4);
    expect(kMeans(data, 4 * size, 2, 4)).toEqual({ of, centres });
  }
});

it('copes with fewer different rows than clusters', () => {
  const { of } = kMeans(Float32Array.of(1, 1, 1, 1, 2, 2), 3, 2, 3);
  expect(of[0]).toBe(of[1]);
  expect(of[2]).not.toBe(of[0]);
});
