/** Small inputs for the kernels of attention, and what they must compute from them. */
import { type AttentionPlan, type AttentionSpec, type AttentionTile, attentionDispatch } from '../kernels/attention';
import { F32_ERROR } from '../kernels/gemm-twin';
import { bytesOf } from '../kernels/storage';
import { attention } from '../kernels/twins';
import { attentionTiles, keyBounds, tileWords, tokenStream } from '../packing/stream';
import { numbers, type Probe, unwritten, whole } from './probe-parts';

/** Each tile of a plan, without a window and with one. */
export const attentionProbes = (spec: AttentionSpec, plan: AttentionPlan): Probe[] =>
  plan.flatMap(({ upTo, tile }, i) => probesOfTile(spec, tile, upTo ?? (plan[i - 1]?.upTo ?? 0) + 1));

/** `rows`: tokens of a pass that the plan has the tile for. */
function probesOfTile(spec: AttentionSpec, tile: AttentionTile, rows: number): Probe[] {
  const { heads, kv_heads: kvHeads, headDim, act: type, relative: { reach = 0, span = 0 } = {} } = spec;
  // The second sequence is longer than a tile.
  const stream = tokenStream([7, tile.rows + 21, 5].map((length) => new Uint32Array(length)));
  const tokens = stream.input_ids.length;
  const width = heads * headDim;
  const head = Math.min(heads, 2) - 1; // the one that is looked at: its place depends on all sizes
  const keyHead = Math.floor((head * kvHeads) / heads);
  const qkvWidth = width + 2 * kvHeads * headDim;
  const qkv = numbers(tokens, qkvWidth, qkvWidth, type);
  const part = (place: number) => qkv.rows.map((row) => row.subarray(place * headDim).subarray(0, headDim));
  const [k, v] = [part(heads + keyHead), part(heads + kvHeads + keyHead)];
  // The kernel's exponentials are base 2 and q carries the scale of the softmax.
  const q = part(head).map((row) => row.map((value) => value * Math.sqrt(headDim) * Math.LN2));
  // A bias by distance, or by the relative position of the distance.
  const distances = 2 * reach + 1;
  const distanceOf = (i: number, j: number) => Math.max(-reach, Math.min(j - i, reach)) + reach;
  const positions = Float32Array.from({ length: distances }, (_, distance) => (distance * 7) % span);
  const biases = numbers(heads, distances, distances, 'f32', 2);
  const [c2p, p2c] = [3, 4].map((seed) => numbers(tokens, heads * span, heads * span, type, seed));
  const bias = (_: number, i: number, j: number) => {
    if (reach === 0) return 0;
    const distance = distanceOf(i, j);
    if (span === 0) return biases.rows[head][distance] * Math.LN2;
    const at = head * span + positions[distance];
    return (c2p.rows[i][at] + p2c.rows[j][at]) * Math.LN2;
  };
  const [, , slices] = attentionDispatch(spec, tile, { tiles: 0, issuedPairs: 0 }).workgroups;
  return [0, 8].map((window) => {
    const tiles = attentionTiles(stream.cu_seqlens, tile.rows, window);
    const expected = attention({ q, k, v }, stream.cu_seqlens, headDim, window, bias);
    return {
      buffers: {
        qkv: qkv.words,
        relative_bias: span > 0 ? new Uint32Array(positions.buffer) : reach > 0 ? biases.words : undefined,
        c2p: span > 0 ? c2p.words : undefined,
        p2c: span > 0 ? p2c.words : undefined,
        tiles: tileWords(tiles),
        bounds: keyBounds(stream, window),
        out: unwritten(tokens * width * bytesOf(type)),
      },
      workgroups: [tiles.length, head + 1, slices],
      rows,
      // Scores reach 20, and their errors are exponentiated.
      outputs: [whole('out', type, expected, width, 16 * F32_ERROR, head * headDim)],
    };
  });
}
