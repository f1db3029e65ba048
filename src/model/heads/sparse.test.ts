import { describe, expect, it } from 'vitest';
import { blockColumns } from './sparse';

describe('blockColumns', () => {
  it.each([
    { piece: 380, longest: 512, columns: 384 },
    { piece: 50368, longest: 512, columns: 7296 }, // 7 blocks
    { piece: 50368, longest: 8192, columns: 2048 },
    { piece: 256000, longest: 8192, columns: 2048 },
    { piece: 50368, longest: 1e6, columns: 128 },
  ])('$piece tokens of a vocabulary, texts of up to $longest: $columns', ({ piece, longest, columns }) => {
    const found = blockColumns(piece, longest);
    expect(found).toBe(columns);
    expect(found % 128).toBe(0);
    expect(Math.ceil(piece / found) * found - piece).toBeLessThan(Math.ceil(piece / found) * 128);
  });

  it('keeps the logits of the longest text within 64 MiB', () => {
    for (const longest of [512, 2048, 8192, 30000])
      expect(longest * blockColumns(262144, longest) * 4).toBeLessThanOrEqual(64 << 20);
  });
});
