import { describe, expect, it } from 'vitest';
import { seededRandom } from '../seeded-random';
import { packPasses } from './passes';
import { attentionTiles, keyBounds, tileWords, tokenStream } from './stream';

const LENGTHS: Record<string, (random: number) => number> = {
  uniform: (r) => 1 + Math.floor(r * 8192),
  short: (r) => 1 + Math.floor(r * 64),
  'mostly short, some of the full length': (r) => (r < 0.9 ? 5 + Math.floor(r * 200) : 8192),
  'all the same': () => 100,
};

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

describe('packPasses', () => {
  it.each(Object.keys(LENGTHS))('takes every sequence once and never more than the limit: %s', (kind) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      const lengths = Array.from({ length: Math.floor(random() * 500) }, () => LENGTHS[kind](random()));
      const passes = packPasses(lengths, 8192);
      expect(passes.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
      for (const pass of passes) {
        expect(pass.length).toBeGreaterThan(0);
        expect(sum(pass.map((i) => lengths[i]))).toBeLessThanOrEqual(8192);
        expect(pass).toEqual([...pass].sort((a, b) => a - b));
      }
    }
  });

  it('fills all passes but the last to 99 % where there are short sequences', () => {
    const random = seededRandom(7);
    const lengths = Array.from({ length: 3000 }, () => Math.ceil(8 + 500 * random() ** 3));
    const passes = packPasses(lengths, 8192);
    const fills = passes.map((pass) => sum(pass.map((i) => lengths[i])) / 8192).sort((a, b) => b - a);
    expect(fills.length).toBeGreaterThan(20);
    for (const fill of fills.slice(0, -1)) expect(fill).toBeGreaterThanOrEqual(0.99);
  });

  it('fills long ones up with short ones', () => {
    expect(packPasses([90, 10, 50, 5, 45], 100)).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
  });

  it('takes a sequence as long as a pass, and has no pass for nothing', () => {
    expect(packPasses([8192, 8192], 8192)).toEqual([[0], [1]]);
    expect(packPasses([], 8192)).toEqual([]);
  });

  it('throws for a sequence longer than a pass, with both numbers', () => {
    expect(() => packPasses([5, 101], 100)).toThrow(RangeError);
    expect(() => packPasses([5, 101], 100)).toThrow('Sequence 1 has 101 tokens; one pass holds at most 100.');
  });
});

const streamOf = (lengths: number[]) => tokenStream(lengths.map((length, s) => new Uint32Array(length).fill(s)));

describe('tokenStream', () => {
  it('puts sequences one after the other and restarts positions', () => {
    const stream = tokenStream([Uint32Array.of(7, 8, 9), Uint32Array.of(4), Uint32Array.of(1, 2)]);
    expect([...stream.input_ids]).toEqual([7, 8, 9, 4, 1, 2]);
    expect([...stream.cu_seqlens]).toEqual([0, 3, 4, 6]);
    expect([...stream.positions]).toEqual([0, 1, 2, 0, 0, 1]);
  });

  it('bounds the keys of every row by its sequence and its window', () => {
    expect([...keyBounds(streamOf([3, 1]), 0)]).toEqual([0, 3, 0, 3, 0, 3, 3, 4]);
    expect([...keyBounds(streamOf([4, 2]), 1)]).toEqual([0, 2, 0, 3, 1, 4, 2, 4, 4, 6, 4, 6]);
  });
});

describe('attentionTiles', () => {
  const CASES = [[1], [64], [65], [1, 63, 64, 65, 129, 2, 3, 1, 58], [500], Array.from({ length: 100 }, () => 3)];

  it.each([
    [16, 0],
    [16, 1],
    [64, 0],
    [64, 64],
    [32, 200],
  ])('of %i rows, window %i: every row once, and all keys that its rows see', (rows, window) => {
    for (const lengths of CASES) {
      const stream = streamOf(lengths);
      const bounds = keyBounds(stream, window);
      const tiles = attentionTiles(stream.cu_seqlens, rows, window);
      const seen = tiles.flatMap(({ q_start, q_end }) =>
        Array.from({ length: q_end - q_start }, (_, i) => q_start + i),
      );
      expect(seen.sort((a, b) => a - b)).toEqual([...stream.input_ids.keys()]);
      for (const { q_start, q_end, k_start, k_end } of tiles) {
        expect(q_end - q_start).toBeLessThanOrEqual(rows);
        const [firsts, ends] = [0, 1].map((side) =>
          Array.from({ length: q_end - q_start }, (_, i) => bounds[2 * (q_start + i) + side]),
        );
        expect([k_start, k_end]).toEqual([Math.min(...firsts), Math.max(...ends)]);
      }
      const work = tiles.map(({ k_start, k_end }) => k_end - k_start);
      expect(work).toEqual([...work].sort((a, b) => b - a));
    }
  });

  it('visits keys in proportion to the length in window layers', () => {
    const visited = (length: number) =>
      sum(attentionTiles(Uint32Array.of(0, length), 64, 64).map(({ k_start, k_end }) => k_end - k_start));
    expect(visited(8192)).toBeLessThanOrEqual((8192 / 64) * (64 + 2 * 64));
    expect(visited(8192) / visited(4096)).toBeCloseTo(2, 1);
  });

  it('puts short neighbours into one tile', () => {
    expect(attentionTiles(streamOf([3, 3, 3, 60]).cu_seqlens, 64, 0)).toEqual([
      { q_start: 9, q_end: 69, k_start: 9, k_end: 69 },
      { q_start: 0, q_end: 9, k_start: 0, k_end: 9 },
    ]);
  });

  it('has four words per tile', () => {
    expect([...tileWords([{ q_start: 1, q_end: 2, k_start: 3, k_end: 4 }])]).toEqual([1, 2, 3, 4]);
  });
});
