import type { Operand, Step } from '../src/kernels/step';
import { roundUp } from '../src/kernels/storage';
import type { PassSizes } from '../src/model/family';
import type { Runtime } from '../src/runtime/runtime';

/** The profiler's labels of the encoder's matrix products. */
export const GEMMS = ['Wqkv', 'attn.Wo', 'mlp.Wi', 'mlp.Wo'];

/**
 * The least bytes that each kernel of the encoder must move in one pass of `tokens` tokens, over all layers, by label: every buffer it binds
 * once, a GEMM's residual output twice, and only the looked-up rows of embedding tables. The real traffic is higher if tiles are read again
 * from beyond the cache. Heads are not counted.
 */
export function trafficOf({ model }: Runtime, tokens: number): Map<string, number> {
  const { embeddings, layers } = model.encoder;
  const bytes = new Map<string, number>();
  for (const step of [...embeddings, ...layers.flat()]) {
    bytes.set(step.label, (bytes.get(step.label) ?? 0) + stepBytes(step, tokens, model.config.vocab_size));
  }
  return bytes;
}

function stepBytes(step: Step<PassSizes>, tokens: number, vocab_size: number): number {
  const sizeOf = (name: string, operand: Operand<PassSizes>): number => {
    if (operand === undefined) return 0;
    if ('of' in operand) return sizeOf(name, operand.of);
    if ('per' in operand) return operand.per === 'token' ? operand.bytes * tokens : 0; // work lists and RoPE's tables are small
    return name.startsWith('table') ? (operand.size / roundUp(vocab_size, 8)) * tokens : operand.size;
  };
  const isAdded = 'gemm' in step && step.gemm.epilogue.kind === 'residual';
  return Object.entries(step.buffers).reduce(
    (sum, [name, operand]) => sum + sizeOf(name, operand) * (name === 'out' && isAdded ? 2 : 1),
    0,
  );
}
