import { expect, it } from 'vitest';
import { sample } from './gemm-twin';

it.each([
  [8, 64],
  [96, 64],
  [128, 128],
])(
  'samples of %i rows and 256 columns look at every row, every column of a tile, and every place within 8 × 8',
  (rows, n) => {
    const seen = { rows: new Set<number>(), columns: new Set<number>(), places: new Set<string>() };
    sample(rows, 256, { design: 'workgroup', m: 64, n, k: 16 }, (row, column) => {
      expect(row).toBeLessThan(rows);
      expect(column).toBeLessThan(256);
      seen.rows.add(row);
      seen.columns.add(column % n);
      seen.places.add(`${row % 8} ${column % 8}`);
    });
    expect([seen.rows.size, seen.columns.size, seen.places.size]).toEqual([rows, n, 64]);
  },
);
