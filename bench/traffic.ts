import { bytesOf } from '../src/kernels/storage';
import type { Linear, Norm } from '../src/model/weights';
import type { Runtime } from '../src/runtime/runtime';
import { sum } from './statistics';

/** Labels of the encoder's matrix products, as the profiler names them. */
export const GEMMS = ['Wqkv', 'attn.Wo', 'mlp.Wi', 'mlp.Wo'];

/**
 * Bytes that each kernel of the encoder must move in one pass of `tokens`, all layers together: what it reads and writes, every value
 * once. What a kernel really moves is more where tiles are read again and the cache is too small for them. Heads are left out.
 */
export function trafficOf({ gpu, config, geometry, weights, act }: Runtime, tokens: number): Map<string, number> {
  const { hidden, attention, intermediate } = geometry;
  const activation = bytesOf(act);
  const sizeOf = ({ weight, scales, bias }: Linear) =>
    sum([weight, scales, bias].map((buffer) => (buffer === gpu.none ? 0 : buffer.size)));
  const norms = (norm: Norm | undefined) => (norm ? tokens * hidden * (4 + activation) + norm.weight.size : 0);
  const residual = 2 * tokens * hidden * 4; // read and written
  const bytes = new Map<string, number>();
  const add = (label: string, more: number) => bytes.set(label, (bytes.get(label) ?? 0) + more);

  const row = sum(weights.tok_embeddings.pieces.map(({ buffer }) => buffer.size)) / config.vocab_size;
  add('embed', tokens * (4 + row + hidden * (4 + activation)));
  for (const layer of weights.layers) {
    add('layer_norm', norms(layer.attn_norm) + norms(layer.mlp_norm));
    add('Wqkv', sizeOf(layer.Wqkv) + tokens * (hidden + 3 * attention) * activation);
    add(layer.window === 0 ? 'attention global' : 'attention window', tokens * 4 * attention * activation);
    add('attn.Wo', sizeOf(layer.Wo) + tokens * attention * activation + residual);
    add('mlp.Wi', sizeOf(layer.Wi) + tokens * (hidden + intermediate) * activation);
    add('mlp.Wo', sizeOf(layer.mlp_Wo) + tokens * intermediate * activation + residual);
  }
  return bytes;
}
