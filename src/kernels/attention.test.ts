import { describe, expect, it } from 'vitest';
import { profileOf } from '../gpu/profile';
import { attentionDispatch, attentionPlan, entryFor, WORKGROUP_TILES } from './attention';
import { headsLayout } from './layout';

const CARD = { profile: profileOf({ vendor: '', architecture: '', device: '', description: '' }, undefined) };
const SOFTWARE = { vendor: '', architecture: 'swiftshader', device: '', description: '' };

describe('the plan of attention', () => {
  it('has tiles that suit the head_dim, and on cards those of fewer rows while workgroups are few', () => {
    for (const head_dim of [12, 32, 64, 96, 128]) {
      const layout = headsLayout(12, head_dim);
      const plan = attentionPlan(CARD, layout);
      expect(plan.map(({ upTo, tile }) => [upTo, tile.rows])).toEqual([
        [128, 16],
        [undefined, 64],
      ]);
      for (const { across, dims } of plan.map(({ tile }) => tile)) expect(layout.headDim % (across * dims)).toBe(0);
    }
    expect(attentionPlan(CARD, headsLayout(24, 64))[0].upTo).toBe(64);
  });

  it('has one tile for software adapters', () => {
    for (const [subgroupSize, design] of [
      [8, 'subgroup'],
      [undefined, 'workgroup'],
    ] as const) {
      const plan = attentionPlan({ profile: profileOf(SOFTWARE, subgroupSize), subgroupSize }, headsLayout(12, 64));
      expect(plan.map(({ upTo, tile }) => [upTo, tile.design])).toEqual([[undefined, design]]);
    }
  });

  it('has an entry for any number of tokens', () => {
    const plan = attentionPlan(CARD, headsLayout(12, 64));
    expect([1, 128, 129, 32768].map((tokens) => entryFor(plan, tokens).tile.rows)).toEqual([16, 16, 64, 64]);
  });
});

it('a head that a tile has not room for has its slices, which compute the scores again', () => {
  const [wide, narrow] = [WORKGROUP_TILES[0], WORKGROUP_TILES[1]];
  const sizes = { tiles: 5, issuedPairs: 100 };
  expect(attentionDispatch(headsLayout(2, 64), wide, sizes)).toEqual({
    workgroups: [5, 2, 1],
    issuedFlops: 2 * 100 * 64 * 2 * 2,
  });
  expect(attentionDispatch(headsLayout(2, 96), narrow, sizes)).toEqual({
    workgroups: [5, 2, 3],
    issuedFlops: 2 * 100 * 96 * 2 * 4,
  });
});
