import { expect, it } from 'vitest';
import { lastHiddenState } from '../model/heads/hidden';
import { tokenStream } from '../packing/stream';
import { POOLED } from './fixtures';
import { chunksOf } from './head-chunks';

const LENGTHS = [3, 70, 1, 5, 40, 2, 2, 9];
const stream = tokenStream(LENGTHS.map((length) => new Uint32Array(length)));
const starts = stream.cu_seqlens;
const LIMITS = { chunkRows: 64, chunkTokens: Infinity };

it('rows of the stream, and spans: those asked for, or whole sequences', () => {
  const rows = Uint32Array.from({ length: 100 }, (_, i) => i);
  const chunks = chunksOf(
    [
      { head: lastHiddenState, indices: rows },
      { head: POOLED, indices: Uint32Array.of(1, 4), spans: Uint32Array.of(3, 4, 73, 79, 80, 119) },
      { head: POOLED, indices: Uint32Array.of(2, 0) },
    ],
    [LIMITS, LIMITS, LIMITS],
    stream,
  );
  expect(chunks.map(({ request, first, rows, tokens }) => ({ request, first, rows, tokens }))).toEqual([
    { request: 0, first: 0, rows: 64, tokens: 132 },
    { request: 0, first: 64, rows: 36, tokens: 132 },
    { request: 1, first: 0, rows: 2, tokens: 132 },
    { request: 2, first: 0, rows: 2, tokens: 132 },
  ]);
  expect(chunks.map(({ offset }) => offset)).toEqual([0, 64, 128, 192]);
  expect([...chunks[2].words]).toEqual([3, 4, 73, 79, 80, 119]);
  expect([...chunks[3].words]).toEqual([73, 73, 74, 0, 0, 3]);
});

it('the tokens of their own sequences, where the head gathers: as many sequences as fit, and one that is longer alone', () => {
  const gathers = { ...POOLED, gathers: true };
  const indices = Uint32Array.of(0, 1, 2, 3, 5, 6, 7);
  const chunks = chunksOf([{ head: gathers, indices }], [{ chunkRows: 3, chunkTokens: 8 }], stream);
  expect(chunks.map(({ first, rows, tokens }) => [first, rows, tokens])).toEqual([
    [0, 1, 3],
    [1, 1, 70],
    [2, 3, 8],
    [5, 1, 2],
    [6, 1, 9],
  ]);
  for (const { first, rows, tokens, words, spansAt, offset } of chunks) {
    expect([spansAt % 64, offset % 64]).toEqual([0, 0]);
    const listed = [...words.subarray(0, tokens)];
    const own = [...indices.subarray(first, first + rows)];
    expect(listed).toEqual(own.flatMap((s) => Array.from({ length: LENGTHS[s] }, (_, i) => starts[s] + i)));
    const ends = own.map((_, i) => own.slice(0, i + 1).reduce((sum, s) => sum + LENGTHS[s], 0));
    expect([...words.subarray(spansAt)]).toEqual(ends.flatMap((end, i) => [ends[i - 1] ?? 0, ends[i - 1] ?? 0, end]));
  }
});
