import { afterAll, describe, expect, it, type TestContext } from 'vitest';
import type { Arithmetic } from '../api/types';
import { openTestGpu, SOFTWARE_DESIGNS_ONLY } from '../gpu/fixtures';
import { SUBGROUP_SIZES } from '../gpu/profile';
import { attentionTiles, keyBounds, tileWords, tokenStream } from '../packing/stream';
import {
  type AttentionSpec,
  type AttentionTile,
  attentionDispatch,
  attentionKernel,
  attentionPlan,
  WORKGROUP_TILES,
} from './attention';
import { expectClose, expectF16Rejected, padded, randomMatrix, roundToF16, runStep, unpadded } from './fixtures';
import { attentionPlace, headsLayout, qkvPlace } from './layout';
import type { Step } from './step';
import { blank, upload, uploadWords } from './test-buffers';
import { attention, type Matrix } from './twins';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

interface Case {
  head_dim: number;
  heads?: number;
  window: number;
  lengths: number[];
  tile: AttentionTile;
  /** The token whose key is NaN. */
  bad?: number;
  /** How many times larger the last token's key is than the first's: scores rise from step to step, so the softmax must rescale. */
  rising?: number;
  /** Heads of k and v, if they are fewer. */
  kv_heads?: number;
  /** With a bias by distance: from where on it stays the same. */
  reach?: number;
  /** DeBERTa's bias, by so many relative positions. */
  span?: number;
}

/** Sequences that share a tile, fill one exactly, just miss or exceed it, have one token, or span several tiles. */
const MIXED = [1, 63, 64, 65, 129, 2, 3, 1, 58];

/** Attention of random q, k and v, as computed by the GPU and by the reference. */
async function runAttention(
  { head_dim, heads = 2, kv_heads = heads, window, lengths, tile, bad = -1, rising = 1, reach = 0, span = 0 }: Case,
  act: Arithmetic = 'f32',
) {
  const hidden = heads * head_dim;
  const layout = headsLayout(heads, head_dim, kv_heads);
  const stream = tokenStream(lengths.map((length) => new Uint32Array(length)));
  const tokens = stream.input_ids.length;
  const random = (seed: number, scale: number, columns = kv_heads * head_dim) => {
    const x = randomMatrix(seed, tokens, columns, scale);
    return act === 'f16' ? roundToF16(x) : x;
  };
  // Scores of several units, so that some rows attend to one key and others to many.
  const [q, k, v] = [random(1, 1.7, hidden), random(2, 1.7), random(3, 1)];
  k.forEach((row, r) => {
    for (let i = 0; i < row.length; i++) row[i] *= 1 + ((rising - 1) * r) / tokens;
  });

  k[bad]?.fill(Number.NaN);

  const qScale = Math.LOG2E / Math.sqrt(head_dim);
  const rows = q.map((row, r) => Float64Array.of(...row.map((value) => value * qScale), ...k[r], ...v[r]));
  const stride = layout.qkv;
  const place = qkvPlace(layout);
  const qkv = padded(rows, { stride, columnAt: place });
  const tiles = attentionTiles(stream.cu_seqlens, tile.rows, window);
  const out = blank(gpu, tokens * layout.attention, act);
  const relative = reach > 0 ? { reach, span } : undefined;
  const biases = randomMatrix(4, heads, 2 * reach + 1, 2);
  const distanceOf = (i: number, j: number) => Math.max(-reach, Math.min(j - i, reach)) + reach;
  const positionOf = (distance: number) => (distance * 7) % span; // any
  const [c2p, p2c] = [5, 6].map((seed) => {
    const x = randomMatrix(seed, tokens, heads * span);
    return act === 'f16' ? roundToF16(x) : x;
  });
  const bias = (head: number, i: number, j: number) => {
    if (reach === 0) return 0;
    if (span === 0) return biases[head][distanceOf(i, j)];
    const at = head * span + positionOf(distanceOf(i, j));
    return (c2p[i][at] + p2c[j][at]) * Math.LN2; // what the kernel adds is in base 2
  };
  const numbers =
    span > 0
      ? Float32Array.from({ length: 2 * reach + 1 }, (_, distance) => positionOf(distance))
      : Float32Array.from(
          biases.flatMap((row) => [...row]),
          (value) => value * Math.LOG2E,
        );
  const uploaded = (x: Matrix) => (span > 0 ? upload(gpu, padded(x, { stride: heads * span }), act) : undefined);
  const buffers = {
    qkv: upload(gpu, qkv, act),
    tiles: uploadWords(gpu, tileWords(tiles)),
    bounds: uploadWords(gpu, keyBounds(stream, window)),
    relative_bias: reach > 0 ? upload(gpu, numbers) : undefined,
    c2p: uploaded(c2p),
    p2c: uploaded(p2c),
    out,
  };
  const spec: AttentionSpec = { ...layout, act, window, relative };
  const { workgroups } = attentionDispatch(spec, tile, { tiles: tiles.length, issuedPairs: 0 });
  const kernel = attentionKernel(spec, tile);
  const step: Step<void> = { label: 'attention', kernel, buffers, workgroups: () => workgroups };
  const data = await runStep(gpu, step, out, tokens * layout.attention, { storage: act });
  const actual = unpadded(data, [tokens, hidden], layout.attention, attentionPlace(layout));
  return { actual, expected: attention({ q, k, v }, stream.cu_seqlens, head_dim, window, bias) };
}

const name = ({ head_dim, window, lengths, tile, reach, span, kv_heads }: Omit<Case, 'tile'> & Partial<Case>) =>
  `head_dim ${head_dim}, ${window ? `window ${window}` : 'global'}, ${lengths.length} sequences` +
  (reach ? `, bias up to ${reach} tokens away${span ? `, of ${span} relative positions` : ''}` : '') +
  (kv_heads ? `, ${kv_heads} heads of keys` : '') +
  (tile ? `, tiles of ${tile.rows} × ${tile.across}, ${tile.keys} keys and ${tile.dims} dimensions a thread` : '');

const CASES: Omit<Case, 'tile'>[] = [
  { head_dim: 64, window: 0, lengths: MIXED },
  { head_dim: 64, window: 64, lengths: [200, ...MIXED] },
  { head_dim: 64, window: 0, lengths: [1] },
  { head_dim: 64, window: 0, lengths: [200], rising: 8 },
  { head_dim: 20, heads: 5, window: 16, lengths: MIXED },
  { head_dim: 96, heads: 1, window: 1, lengths: MIXED },
  { head_dim: 128, heads: 1, window: 0, lengths: [65, 200] },
  { head_dim: 64, window: 0, lengths: MIXED, reach: 20 },
  { head_dim: 20, heads: 3, window: 16, lengths: MIXED, reach: 128 },
  { head_dim: 64, window: 0, lengths: MIXED, reach: 40, span: 64 },
  { head_dim: 20, heads: 3, window: 0, lengths: [70, 3], reach: 512, span: 8 },
  { head_dim: 64, heads: 4, kv_heads: 2, window: 0, lengths: MIXED },
  { head_dim: 12, heads: 3, kv_heads: 1, window: 16, lengths: [70, 3] },
];

/** Every tile, at a head_dim that it suits. */
const TILES: Case[] = [128, 96, 64, 32, 64, 96].map((head_dim, i) => ({
  head_dim,
  window: i % 2 ? 0 : 64,
  lengths: [150, ...MIXED],
  tile: { ...WORKGROUP_TILES[i], unroll: gpu.profile.unroll },
}));

const CHOICES = SOFTWARE_DESIGNS_ONLY ? gpu.profile.attention : (['workgroup', 'plain', 'subgroup'] as const);

describe.each(CHOICES)('attention, %s', (choice) => {
  const chosen = (head_dim: number, skip: TestContext['skip']) => {
    const isOther = choice === 'subgroup' && !SUBGROUP_SIZES.includes(gpu.subgroupSize ?? 0);
    skip(isOther, `not for this device: it needs subgroups of ${SUBGROUP_SIZES.join(', ')} threads`);
    const plan = attentionPlan({ ...gpu, profile: { ...gpu.profile, attention: [choice] } }, headsLayout(1, head_dim));
    return plan[plan.length - 1].tile;
  };

  it.for([...CASES, ...(choice === 'workgroup' ? TILES : [])].map((c) => [name(c), c] as const))(
    '%s',
    async ([, c], { skip }) => {
      const { actual, expected } = await runAttention({ tile: chosen(c.head_dim, skip), ...c });
      expectClose(actual, expected, 5e-6 * (c.rising ?? 1)); // the last bit of a larger score is worth more
    },
  );

  it('leaves no row a number that attends to a NaN', async ({ skip }) => {
    const { actual } = await runAttention({ head_dim: 32, window: 0, lengths: [70], tile: chosen(32, skip), bad: 41 });
    expect(actual.flatMap((row) => [...row]).filter((value) => !Number.isNaN(value))).toEqual([]);
  });

  it('computes in f16, or the device rejects f16', async ({ skip }) => {
    const tile = chosen(64, skip);
    const run = () => runAttention({ head_dim: 64, window: 16, lengths: MIXED, tile }, 'f16');
    if (!gpu.hasF16) return expectF16Rejected(gpu, run);
    const { actual, expected } = await run();
    // q after scaling and the probabilities are rounded to 11 bits; scores reach 15.
    expectClose(actual, expected, 2e-2);
  });
});

it.each(SOFTWARE_DESIGNS_ONLY ? [1] : [1, 16])(
  'attention returns the same with its inner loops written out %i times',
  async (unroll) => {
    const tile: AttentionTile = { ...WORKGROUP_TILES[5], unroll };
    const { actual, expected } = await runAttention({ head_dim: 32, window: 16, lengths: MIXED, tile });
    expectClose(actual, expected, 5e-6);
  },
);
