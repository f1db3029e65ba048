import { describe, expect, it } from 'vitest';
import type { TokenBatch } from '../api/calls';
import { sequencesOf, streamRows } from './forward';

const VOCAB = 100;
const batchOf = (inputIds: unknown, lengths: unknown): TokenBatch => ({ inputIds, lengths }) as TokenBatch;
const idsOf = (batch: TokenBatch, maxTokens?: number) =>
  sequencesOf(batch, { vocab_size: VOCAB }, maxTokens).map(({ ids }) => [...ids]);

describe('sequencesOf', () => {
  it('splits the stream', () => {
    expect(idsOf(batchOf(Uint32Array.of(1, 2, 3), Uint32Array.of(1, 2)))).toEqual([[1], [2, 3]]);
  });

  it('takes plain lists of integers, and other typed arrays', () => {
    expect(idsOf(batchOf([1, 2, 3], [3]))).toEqual([[1, 2, 3]]);
    expect(idsOf(batchOf(Int32Array.of(0, 99), Uint8Array.of(2)))).toEqual([[0, 99]]);
  });

  it('cuts to the limit and keeps where each sequence began', () => {
    const sequences = sequencesOf(batchOf(Uint32Array.of(1, 2, 3, 4), Uint32Array.of(3, 1)), { vocab_size: VOCAB }, 2);
    expect(sequences.map(({ ids, start }) => [[...ids], start])).toEqual([
      [[1, 2], 0],
      [[4], 3],
    ]);
  });

  it.each([
    [[], [], 'The batch is empty: lengths has no entries.'],
    [[1], [2], 'lengths add up to 2, but inputIds has 1 ids.'],
    [[1, 100], [2], 'inputIds[1] is 100; the vocabulary has ids 0 to 99.'],
    [[-1], [1], 'inputIds[0] is -1, out of range for an id.'],
    [[2 ** 32], [1], 'inputIds[0] is 4294967296, out of range for an id.'],
    [[1], [0, 1], 'lengths[0] is 0: a sequence needs at least one token.'],
  ])('throws a RangeError for ids %j with lengths %j', (ids, lengths, message) => {
    expect(() => idsOf(batchOf(ids, lengths))).toThrow(new RangeError(message));
  });

  it.each([
    [[1.5], 'inputIds[0] is 1.5, not an integer. Pass a Uint32Array.'],
    [[Number.NaN], 'inputIds[0] is NaN, not an integer. Pass a Uint32Array.'],
    [['1'], 'inputIds[0] is 1, not an integer. Pass a Uint32Array.'],
    [BigInt64Array.of(7n), 'inputIds[0] is the bigint 7, not an integer. Pass a Uint32Array.'],
    [undefined, 'inputIds must be a Uint32Array, it is undefined.'],
    [null, 'inputIds must be a Uint32Array, it is null.'],
    ['text', 'inputIds must be a Uint32Array, it is string.'],
  ])('throws a TypeError for ids %o', (ids, message) => {
    expect(() => idsOf(batchOf(ids, [1]))).toThrow(new TypeError(message));
  });

  it('throws a TypeError without a batch', () => {
    expect(() => sequencesOf(undefined as unknown as TokenBatch, { vocab_size: VOCAB })).toThrow(TypeError);
  });
});

describe('streamRows', () => {
  const sequences = sequencesOf(batchOf([1, 2, 3, 4, 5], [2, 3]), { vocab_size: VOCAB });
  const rowsOf = (asked?: number[]) => {
    const { count, perSequence } = streamRows(sequences, asked);
    return { count, rows: perSequence.map(({ rows }) => [...rows]), places: perSequence.map(({ places }) => places) };
  };

  it('is every row by default', () => {
    expect(rowsOf()).toEqual({
      count: 5,
      rows: [
        [0, 1],
        [0, 1, 2],
      ],
      places: [
        [0, 1],
        [2, 3, 4],
      ],
    });
  });

  it("keeps the caller's order, and rows that are asked for twice", () => {
    expect(rowsOf([4, 0, 4, 2])).toEqual({ count: 4, rows: [[0], [2, 2, 0]], places: [[1], [0, 2, 3]] });
  });

  it('may be none', () => expect(rowsOf([])).toEqual({ count: 0, rows: [[], []], places: [[], []] }));

  it('throws for rows that do not exist or are cut off', () => {
    expect(() => rowsOf([5])).toThrow(new RangeError('rows[0] is 5; the stream has rows 0 to 4.'));
    expect(() => rowsOf([-1])).toThrow(RangeError);
    expect(() => rowsOf([0.5])).toThrow(TypeError);
    const cut = sequencesOf(batchOf([1, 2, 3, 4, 5], [4, 1]), { vocab_size: VOCAB }, 2);
    expect(() => streamRows(cut, [3])).toThrow(RangeError);
    expect([...streamRows(cut, [4, 1]).perSequence[1].rows]).toEqual([0]);
  });
});
