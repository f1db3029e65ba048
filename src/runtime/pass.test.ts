import { expect, it } from 'vitest';
import { type AttentionPlan, WORKGROUP_TILES } from '../kernels/attention';
import { tokenStream } from '../packing/stream';
import { passOf } from './pass';

it('a pass has the work lists of the tiles that its number of tokens is planned for, by window', () => {
  const [large, small] = [WORKGROUP_TILES[0], WORKGROUP_TILES[4]];
  const plans = new Map<number, AttentionPlan>([
    [0, [{ upTo: 100, tile: small }, { tile: large }]],
    [64, [{ tile: large }]],
  ]);
  const tilesOf = (length: number) => {
    const { attention } = passOf(tokenStream([new Uint32Array(length)]), plans).sizes;
    return [...attention].map(([window, { tokens, tiles }]) => [window, tokens, tiles]);
  };
  expect(tilesOf(100)).toEqual([
    [0, 100, 7],
    [64, 100, 2],
  ]);
  expect(tilesOf(101)).toEqual([
    [0, 101, 2],
    [64, 101, 2],
  ]);
});
