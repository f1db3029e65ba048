import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packPasses } from './passes';
import { attentionTiles, keyBounds, tokenStream } from './stream';

const lengths = (most: number) => fc.array(fc.integer({ min: 1, max: most }), { maxLength: 40 });

describe('for any sequences', () => {
  it('packPasses takes each once, no pass holds too many tokens, and no two could be one', () => {
    fc.assert(
      fc.property(lengths(100), fc.integer({ min: 100, max: 500 }), (all, most) => {
        const passes = packPasses(all, most);
        const sizes = passes.map((pass) => pass.reduce((sum, i) => sum + all[i], 0));
        expect(passes.flat().sort((a, b) => a - b)).toEqual([...all.keys()]);
        for (const [i, size] of sizes.entries()) {
          expect(size).toBeLessThanOrEqual(most);
          for (const other of sizes.slice(i + 1)) expect(size + other).toBeGreaterThan(most);
        }
      }),
    );
  });

  it('attentionTiles has each row once, and the keys of keyBounds are those of the row in its sequence, all in its tile', () => {
    fc.assert(
      fc.property(
        lengths(50),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 60 }),
        (all, rows, window) => {
          const stream = tokenStream(all.map((length) => new Uint32Array(length)));
          const bounds = keyBounds(stream, window);
          const seen = new Uint8Array(stream.input_ids.length);
          for (const { q_start, q_end, k_start, k_end } of attentionTiles(stream.cu_seqlens, rows, window)) {
            expect(q_end - q_start).toBeLessThanOrEqual(rows);
            for (let row = q_start; row < q_end; row++) {
              seen[row]++;
              const s = stream.cu_seqlens.findLastIndex((start) => start <= row);
              const [start, end] = [stream.cu_seqlens[s], stream.cu_seqlens[s + 1]];
              const keys = Array.from({ length: end - start }, (_, i) => start + i).filter(
                (key) => window === 0 || Math.abs(key - row) <= window,
              );
              expect([bounds[2 * row], bounds[2 * row + 1]]).toEqual([keys[0], keys[keys.length - 1] + 1]);
              expect(bounds[2 * row]).toBeGreaterThanOrEqual(k_start);
              expect(bounds[2 * row + 1]).toBeLessThanOrEqual(k_end);
            }
          }
          expect(seen.every((count) => count === 1)).toBe(true);
        },
      ),
    );
  });
});
