import type { Arithmetic } from '../api/types';
import type { Gpu } from '../gpu/device';
import type { KernelSpec } from '../gpu/kernel';
import common from './attention.wgsl?raw';
import subgroup from './attention_subgroup.wgsl?raw';
import workgroup from './attention_workgroup.wgsl?raw';
import type { HeadsLayout } from './layout';
import type { AttentionStep, Operand } from './step';
import { roundUp } from './storage';

/** How the products are computed: the WGSL file to append to attention.wgsl. */
const DESIGNS = { workgroup, subgroup };

/** A design, its query rows per workgroup, its threads across keys and head dimensions, and how many of either each has. */
export interface AttentionTile {
  design: keyof typeof DESIGNS;
  rows: number;
  across: number;
  keys: 4 | 8;
  dims: 4 | 8;
  /** Steps of the inner loops to write out, for design workgroup. */
  unroll?: number;
}

const tile = (rows: number, across: number, keys: 4 | 8, dims: 4 | 8): AttentionTile => ({
  design: 'workgroup',
  rows,
  across,
  keys,
  dims,
});

/** The tiles of design workgroup, for heads of a multiple of 64 dimensions and for others. All fit the 16 KiB of workgroup memory of every device. */
export const WORKGROUP_TILES = [
  tile(64, 8, 8, 8),
  tile(64, 4, 8, 8),
  tile(32, 8, 4, 8),
  tile(32, 4, 4, 8),
  tile(16, 16, 4, 4),
  tile(16, 8, 8, 4),
];

/** The source of that design: measured plans are valid for this source only. */
export const attentionSources = common + workgroup;

/** Largest head_dim that the tiles are made for. */
export const MAX_HEAD_DIM = 128;

/** Which tile serves passes of up to so many tokens; the last entry has no limit. Work lists are made for its rows. */
export type AttentionPlan = { upTo?: number; tile: AttentionTile }[];

/**
 * Up to so many workgroups of 64 rows leave most of a card idle, and a pass waits for one of them. Tiles of 16 rows have twice the threads for
 * the same rows, each with 0.7 of the instructions; on a card that is full they take 1.4 times as many.
 */
const FEW_WORKGROUPS = 24;

/** The tiles of 64, 32 and 16 rows for a head_dim, which cover as much of it as possible: each part of it computes the scores again. */
export function attentionCandidates({ profile }: Pick<Gpu, 'profile'>, { headDim }: HeadsLayout): AttentionTile[] {
  const width = headDim % 64 === 0 ? 64 : 32;
  return WORKGROUP_TILES.filter(({ across, dims }) => across * dims === width).map((tile) => ({
    ...tile,
    unroll: profile.unroll,
  }));
}

/** The plan if nothing was measured. */
export function attentionPlan(gpu: Pick<Gpu, 'profile' | 'subgroupSize'>, layout: HeadsLayout): AttentionPlan {
  const [choice] = gpu.profile.attention;
  if (choice === 'subgroup') return [{ tile: { ...tile(16, gpu.subgroupSize!, 4, 8), design: 'subgroup' } }];
  const [large, middle, small] = attentionCandidates(gpu, layout);
  if (choice === 'plain') return [{ tile: { ...middle, unroll: 1 } }];
  return [{ upTo: Math.floor((64 * FEW_WORKGROUPS) / layout.heads), tile: small }, { tile: large }];
}

/** A plan's entry for a pass. */
export const entryFor = <E extends AttentionPlan[number]>(plan: E[], tokens: number): E =>
  plan.find(({ upTo }) => upTo === undefined || tokens <= upTo)!;

/** Of a pass: its tokens, and the tiles of its work list; for FLOPs, the query-key pairs that count and all pairs of its tiles. */
export interface AttentionSizes {
  tokens: number;
  tiles: number;
  pairs: number;
  issuedPairs: number;
}

export interface AttentionSpec extends HeadsLayout {
  act: Arithmetic;
  /** How many tokens a query sees to each side; 0: all. The work list and the rows' bounds must be made for the same window. */
  window: number;
  relative?: RelativeSpec;
}

/** A bias of scores by how far a key is from its query. */
export interface RelativeSpec {
  /** The distance from which it stays the same. */
  reach: number;
  /** DeBERTa: how many relative positions c2p and p2c have. */
  span?: number;
}

/** Operands of a bias. */
export type RelativeBuffers<S> = Partial<Record<'relative_bias' | 'c2p' | 'p2c', Operand<S>>>;

/**
 * Flash attention over the stream: out [T, attention] = softmax(q kᵀ + bias) v of qkv [T, qkv], where q is already multiplied by the softmax
 * scale and log2 e. `relative_bias`, f32 [heads, 2 reach + 1]: the bias times log2 e of keys from `reach` tokens before a row to as many after; with
 * a span, [2 reach + 1]: the relative position of these, by which `c2p` of the row and `p2c` of the key, [T, heads, span], make the bias.
 * Sources: Dao et al. 2022 (arXiv:2205.14135), without dropout and backward pass; He et al. 2021 (arXiv:2006.03654) for c2p and p2c.
 */
export const attention = <S>(
  spec: AttentionSpec,
  buffers: Record<'qkv' | 'tiles' | 'bounds' | 'out', Operand<S>> & RelativeBuffers<S>,
  sizesOf: (sizes: S) => AttentionSizes,
): AttentionStep<S> => ({
  label: `attention ${spec.window === 0 ? 'global' : 'window'}`,
  attention: spec,
  buffers: { relative_bias: undefined, c2p: undefined, p2c: undefined, ...buffers },
  sizesOf,
  flops: (s) => 4 * sizesOf(s).pairs * spec.head_dim * spec.heads,
});

/** The kernel of one tile. */
export function attentionKernel(spec: AttentionSpec, tile: AttentionTile): KernelSpec {
  const { design, rows, across, keys, dims, unroll = 1 } = tile;
  return {
    label: 'attention',
    source: `${common}\n${DESIGNS[design]}`,
    constants: {
      act_t: spec.act,
      HEADS: spec.heads,
      KV_HEADS: spec.kv_heads,
      HEAD_DIM: spec.headDim,
      REACH: spec.relative?.reach ?? 0,
      SPAN: spec.relative?.span ?? 0,
      ...(design === 'subgroup'
        ? { LANES: across }
        : { ROWS: rows, ACROSS: across, KEYS_PER_THREAD: keys, DIMS_PER_THREAD: dims, UNROLL: unroll }),
    },
  };
}

/** The workgroups of one tile, and its floating-point operations including those on padding. */
export function attentionDispatch(
  { heads, headDim }: HeadsLayout,
  { across, dims }: AttentionTile,
  { tiles, issuedPairs }: Pick<AttentionSizes, 'tiles' | 'issuedPairs'>,
): { workgroups: [number, number, number]; issuedFlops: number } {
  const slices = Math.ceil(headDim / (dims * across)); // of the head's dimensions; each has its own workgroups, which compute the scores again
  return { workgroups: [tiles, heads, slices], issuedFlops: 2 * issuedPairs * headDim * heads * (slices + 1) };
}

/** Query-key pairs of a workgroup for `keys` keys, with rows and keys padded to the tile. */
export const attentionPairs = (keys: number, { rows, across, keys: each }: AttentionTile): number =>
  rows * roundUp(keys, across * each);
