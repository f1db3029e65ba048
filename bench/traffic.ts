import type { Operand, Step } from '../src/kernels/step';
import { roundUp } from '../src/kernels/storage';
import type { PassSizes } from '../src/model/family';
import type { Runtime } from '../src/runtime/runtime';

/** Labels of the encoder's matrix products, as the profiler names them. */
export const GEMMS = ['Wqkv', 'attn.Wo', 'mlp.Wi', 'mlp.Wo'];

/**
 * Bytes that each kernel of the encoder must move in one pass of `tokens`, all layers together: every buffer that it binds, once, and what a
 * GEMM adds to, twice. Of embedding tables only the rows that are looked up. What a kernel really moves is more where tiles are read again
 * and the cache is too small for them. Heads are left out.
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
