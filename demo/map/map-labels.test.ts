import { expect, it } from 'vitest';
import type { Cluster } from './clusters';
import { fitPoints } from './geometry';
import { labelsOf } from './map-labels';

const SIZE = { width: 800, height: 500 };
const measure = (text: string) => 7 * text.length;
/** 40 points in a row of ten columns. */
const points = Float32Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? (i / 2) % 10 : Math.floor(i / 20)));
const texts = Array.from({ length: 40 }, (_, i) => `Text number ${i} of forty, and more of it`);
const cluster = (x: number, y: number, size: number, level: number, ...words: string[]): Cluster => ({
  x,
  y,
  size,
  level,
  words,
});
const clusters = [
  cluster(2, 1, 12, 0, 'small', 'cluster', 'here'),
  cluster(2, 1, 28, 0, 'large', 'cluster', 'here'),
  cluster(1, 1, 10, 1, 'finer', 'part', 'left'),
  cluster(8, 2, 10, 1, 'finer', 'part', 'right'),
  cluster(5, 2, 10, 1), // nothing sets it apart
];
const all = (k: number, x = 0, y = 0, hits: number[] = [], size = SIZE) =>
  labelsOf({ texts, clusters, hits }, fitPoints(points, size.width, size.height, 36), size, { k, x, y }, measure);
const words = (labels: { text: string }[]) => labels.map(({ text }) => text);

it('names the largest clusters of the whole map first, and moves the next ones aside', () => {
  const labels = all(1);
  expect(words(labels)).toEqual(['large, cluster, here', 'small, cluster, here']);
  expect(labels[0].x).toBe(labels[1].x);
  expect(Math.abs(labels[0].y - labels[1].y)).toBeGreaterThan(17);
});

it('names finer parts of what is in sight once it is zoomed in, with fewer words', () => {
  expect(words(all(2, 0, -250)).filter((text) => !text.startsWith('Text'))).toEqual(['finer, part']);
  expect(words(all(1, 0, 0, [], { width: 400, height: 300 }))[0]).toBe('large, cluster');
});

it('gives a name to the largest cluster that has it alone', () => {
  const same = [cluster(1, 1, 10, 0, 'whale'), cluster(8, 2, 30, 0, 'whale')];
  const fitted = fitPoints(points, SIZE.width, SIZE.height, 36);
  const labels = labelsOf({ texts, clusters: same, hits: [] }, fitted, SIZE, { k: 1, x: 0, y: 0 }, measure);
  expect(labels).toEqual([{ text: 'whale', isCluster: true, ...fitted.place({ x: 8, y: 2 }) }]);
});

it('shows few points by their own texts', () => {
  const labels = all(8, -3120, -2073).filter(({ isCluster }) => !isCluster);
  expect(labels.length).toBeGreaterThan(0);
  expect(labels[0].text).toMatch(/^Text number \d+ of forty…$/);
});

it('leaves what a search found free', () => {
  const before = all(1)[0];
  const { x, y } = fitPoints(points, SIZE.width, SIZE.height, 36);
  const hit = Array.from(x, (_, i) => i).find((i) => Math.hypot(x[i] - before.x, y[i] - before.y) < 20);
  const after = all(1, 0, 0, [hit ?? -1]).find(({ text }) => text === before.text);
  expect(after?.y).not.toBe(before.y);
});
