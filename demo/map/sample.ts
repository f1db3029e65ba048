import { seededRandom } from '../../src/seeded-random';

/** Up to `most` of the rows 0 to `rows` - 1, in order: one of each stretch, at random, so that nothing that repeats is missed. The same ones every time. */
export function sampleRows(rows: number, most: number): number[] {
  if (rows <= most) return Array.from({ length: rows }, (_, i) => i);
  const random = seededRandom(3);
  return Array.from({ length: most }, (_, i) => Math.floor(((i + random()) * rows) / most));
}
