import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arithmetic } from '../api';
import type { Gpu } from '../gpu/device';
import { blank, openTestGpu, runKernel, upload, uploadWords } from '../gpu/fixtures';
import { parseConfig } from '../model/config';
import { attentionPlace, geometryOf, qkvPlace } from '../model/geometry';
import { attentionTiles, keyBounds, tileWords, tokenStream } from '../packing/stream';
import { type AttentionTile, attentionTile, attentionWorkgroups, createAttention } from './attention';
import { expectClose, padded, randomMatrix, roundToF16, unpadded } from './fixtures';
import { attention } from './reference';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.device.destroy());

interface Case {
  head_dim: number;
  heads?: number;
  window: number;
  lengths: number[];
  tile?: AttentionTile;
  /** How much larger the last token's key is than the first's: scores rise step by step, as the scale of their exponents has to. */
  rising?: number;
}

/** Neighbours that share a tile, ones that fill a tile and ones that just do not, of one token and of several tiles. */
const MIXED = [1, 63, 64, 65, 129, 2, 3, 1, 58];

/** Attention of random q, k and v as the GPU computes it, and as the twin does. */
async function runAttention(
  { head_dim, heads = 2, window, lengths, tile, rising = 1 }: Case,
  act: Arithmetic = 'f32',
  on = gpu,
) {
  const hidden = heads * head_dim;
  const config = parseConfig({
    model_type: 'modernbert',
    vocab_size: 8,
    hidden_size: hidden,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: heads,
  });
  const geometry = geometryOf(config);
  const stream = tokenStream(lengths.map((length) => new Uint32Array(length)));
  const tokens = stream.input_ids.length;
  const random = (seed: number, scale: number) => {
    const x = randomMatrix(seed, tokens, hidden, scale);
    return act === 'f16' ? roundToF16(x) : x;
  };
  // Scores of several units: some rows look at one key, others at many.
  const [q, k, v] = [random(1, 1.7), random(2, 1.7), random(3, 1)];
  k.forEach((row, r) => {
    for (let i = 0; i < row.length; i++) row[i] *= 1 + ((rising - 1) * r) / tokens;
  });

  const qScale = Math.LOG2E / Math.sqrt(head_dim);
  const rows = q.map((row, r) => Float64Array.of(...row.map((value) => value * qScale), ...k[r], ...v[r]));
  const stride = 3 * geometry.attention;
  const place = qkvPlace(config, geometry);
  const qkv = padded(rows, { stride, columnAt: place });
  const chosen = tile ?? attentionTile(gpu, geometry.headDim, act);
  const tiles = attentionTiles(stream.cu_seqlens, chosen.rows, window);
  const kernel = await createAttention(on, { heads, headDim: geometry.headDim, act, tile: chosen });
  const out = blank(gpu, tokens * geometry.attention, act);
  const data = await runKernel(
    gpu,
    kernel,
    {
      qkv: upload(gpu, qkv, act),
      tiles: uploadWords(gpu, tileWords(tiles)),
      bounds: uploadWords(gpu, keyBounds(stream, window)),
      out,
    },
    attentionWorkgroups(tiles.length, heads, geometry.headDim, chosen),
    out,
    tokens * geometry.attention,
    act,
  );
  const actual = unpadded(data, [tokens, hidden], geometry.attention, attentionPlace(config, geometry));
  return { actual, expected: attention({ q, k, v }, stream.cu_seqlens, head_dim, window) };
}

const name = ({ head_dim, window, lengths, tile }: Case) =>
  `head_dim ${head_dim}, ${window ? `window ${window}` : 'global'}, ${lengths.length} sequences${tile ? `, tiles of ${tile.rows} × ${tile.across}` : ''}`;

describe('attention', () => {
  const cases: Case[] = [
    { head_dim: 64, window: 0, lengths: MIXED },
    { head_dim: 64, window: 64, lengths: [200, ...MIXED] },
    { head_dim: 64, window: 0, lengths: [1] },
    { head_dim: 64, window: 0, lengths: [200], rising: 8 },
    { head_dim: 20, heads: 5, window: 16, lengths: MIXED },
    { head_dim: 96, heads: 1, window: 1, lengths: MIXED },
    { head_dim: 128, heads: 1, window: 0, lengths: [65, 200] },
    { head_dim: 32, window: 64, lengths: MIXED, tile: { rows: 32, across: 4 } },
    { head_dim: 32, window: 0, lengths: MIXED, tile: { rows: 16, across: 4 } },
  ];
  it.each(cases.map((c) => [name(c), c] as const))('%s', async (_, c) => {
    const { actual, expected } = await runAttention(c);
    expectClose(actual, expected, 5e-6 * (c.rising ?? 1)); // a larger score's last bit is worth more
  });

  it('gives the same with its inner loops written out, as for hardware', async () => {
    const shape = { head_dim: 32, window: 16, lengths: MIXED, tile: { rows: 16, across: 4 } };
    const { actual, expected } = await runAttention(shape, 'f32', { ...gpu, isSoftware: false });
    expectClose(actual, expected, 5e-6);
  });

  it('in f16, or the device refuses f16', async () => {
    const run = () => runAttention({ head_dim: 64, window: 16, lengths: MIXED }, 'f16');
    if (!gpu.hasF16) {
      gpu.device.pushErrorScope('validation');
      await expect(run()).rejects.toThrow(/does not compile on this device/);
      expect((await gpu.device.popErrorScope())?.message).toMatch(/f16/);
      return;
    }
    const { actual, expected } = await run();
    // q after scaling and the probabilities are rounded to 11 bits; scores reach 15.
    expectClose(actual, expected, 2e-2);
  });
});
