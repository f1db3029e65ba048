/** Sparse embeddings: a weight per token of the vocabulary, of which most are zero. */
import { UnsupportedModelError } from '../../api/errors';
import { GROUP } from '../../formats/quantize';
import { sparseRows } from '../../kernels/sparse_rows';
import { spladePool } from '../../kernels/splade_pool';
import type { Part, Slot, Step } from '../../kernels/step';
import { roundUp, weightBytes } from '../../kernels/storage';
import { linear } from '../blocks';
import type { ChunkSizes } from '../family';
import type { LoadedModel } from '../model';
import type { SpladePooling } from '../modules/splade-pooling';
import type { Chain } from '../sentence';
import type { Output } from '../task-head';
import { headOf } from '../task-head';
import type { Linear } from '../tensors';
import { CHUNK_BYTES, type Head, type HeadSteps, notFinite } from './head';
import { F32, gatheredTokens, spans, throughHead } from './rows';

/** A text's answer: the largest of its `nonzero` weights that are not 0, by ascending id. */
export interface SparseAnswer {
  nonzero: number;
  ids: Uint32Array;
  weights: Float32Array;
}

/** Reads pairs of words: how many numbers are not 0 and how many entries follow, then each entry's id and weight. */
export function readSparse(answer: Float32Array): SparseAnswer {
  const words = new Uint32Array(answer.buffer, answer.byteOffset, answer.length);
  const [nonzero, length] = words;
  return {
    nonzero,
    ids: Uint32Array.from({ length }, (_, i) => words[2 + 2 * i]),
    weights: Float32Array.from({ length }, (_, i) => answer[3 + 2 * i]),
  };
}

/** Room for a text's weights where the caller sets no limit. Texts with more are computed once more. */
export const USUAL_ENTRIES = 1024;

/** The `most` largest weights of a text, through a chain that ends in sparse rows: [sequences, 1 + most] pairs of words, see readSparse. */
export const sparseEmbedding = (chain: Chain, most: number): Head => ({
  key: JSON.stringify(['sparse', chain.name, most]),
  by: 'sequence',
  gathers: true,
  problem: (answer) => notFinite(readSparse(answer).weights),
  build(model) {
    const [module, ...others] = chain.modules;
    if (others.length > 0) {
      throw new UnsupportedModelError('modules.json: nothing may stand between the Transformer and its SpladePooling.');
    }
    return spladeSteps(model, module as SpladePooling, most);
  },
  onCpu(sequence) {
    const present = sequence.weights();
    // Of equal weights the first ones stay, as on the GPU.
    const best = [...present]
      .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
      .slice(0, most)
      .sort((a, b) => a[0] - b[0]);
    const answer = new Float32Array(2 + 2 * best.length);
    const words = new Uint32Array(answer.buffer);
    words.set([present.length, best.length]);
    for (const [i, [id, weight]] of best.entries()) {
      words[2 + 2 * i] = id;
      answer[3 + 2 * i] = weight;
    }
    return answer;
  },
});

/** The vocabulary is worked on in blocks of at most so many columns: a block's logits of all tokens exist at a time, and no others. */
const MOST_COLUMNS = 8192;

function spladeSteps(model: LoadedModel, module: SpladePooling, most: number): HeadSteps {
  const head = headOf(model);
  const { pieces, columns, label } = head.output;
  const tokens = throughHead(gatheredTokens(model.encoder), head);
  const piece = pieces[0].n;
  const block = blockColumns(piece, model.config.max_position_embeddings);
  const blocks = pieces.flatMap((whole) => cut(whole, block));

  const logits: Slot = { label: 'logits', per: 'token', bytes: block * 4 };
  const weights: Slot = { label: 'sparse weights', per: 'row', bytes: blocks.length * block * 4 };
  const answer: Slot = { label: 'sparse entries', per: 'row', bytes: (1 + most) * 8 };
  const sequences = (s: ChunkSizes) => s.rows;
  const spec = {
    stride: block,
    pooling: module.pooling_strategy,
    twice: module.activation_function === 'log1p_relu',
  };
  const steps = blocks.flatMap((layer, b): Step<ChunkSizes>[] => {
    const bytes = (s: ChunkSizes) => s.rows * block * 4;
    const pooled: Part<ChunkSizes> = { of: weights, range: (s) => ({ offset: b * bytes(s), size: bytes(s) }) };
    const place = {
      label,
      epilogue: { kind: 'store' as const },
      a: tokens.slot,
      out: logits,
      types: F32,
      outStride: block,
    };
    return [
      linear(layer, place, (s: ChunkSizes) => s.tokens),
      spladePool(spec, { logits, spans, pooled }, sequences, layer.n),
    ];
  });
  const entries: Part<ChunkSizes> = { of: answer, range: (s) => ({ offset: 0, size: s.rows * answer.bytes }) };
  const compact = sparseRows({ vocab: columns, block, piece }, { weights, entries }, sequences);
  return { steps: [...tokens.steps, ...steps, compact], answer, stride: 2 + 2 * most, width: 2 + 2 * most };
}

/** Columns of a block: as many as leave room for the longest text, in blocks of about one size. A multiple of 128, so that each can be bound. */
export function blockColumns(piece: number, longest: number): number {
  const room = Math.floor(CHUNK_BYTES / 4 / roundUp(longest, 128) / 128) * 128;
  const most = Math.max(128, Math.min(MOST_COLUMNS, room));
  return roundUp(piece / Math.ceil(piece / most), 128);
}

/** A piece of the last layer in blocks of columns, which are rows of its weights. */
function cut({ weight, scales, bias, ...layer }: Output['pieces'][number], block: number): Linear[] {
  return Array.from({ length: Math.ceil(layer.n / block) }, (_, b) => {
    const first = b * block;
    const n = Math.min(block, layer.n - first);
    const part = (of: GPUBuffer | Part<unknown>, bytes: number) => partOf(of, first * bytes, n * bytes);
    return {
      ...layer,
      n,
      useful: (layer.useful / layer.n) * n,
      weight: part(weight, weightBytes(layer.k, layer.dtype)),
      scales: scales && part(scales, (layer.k / GROUP) * 2),
      bias: bias && part(bias, 4),
    };
  });
}

/** Bytes of a buffer, or of a part of one. */
function partOf(whole: GPUBuffer | Part<unknown>, offset: number, size: number): Part<unknown> {
  if (!('of' in whole)) return { of: whole, range: () => ({ offset, size }) };
  return { of: whole.of, range: (sizes) => ({ offset: whole.range(sizes).offset + offset, size }) };
}
