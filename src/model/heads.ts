import type { Pooling } from '../api/calls';
import type { Gpu } from '../gpu/device';
import type { Bindable, Dispatch, Kernel } from '../gpu/kernel';
import { createGemm, type Epilogue, type Gemm, gemmDispatch } from '../kernels/gemm';
import { createLayerNorm, normWorkgroups } from '../kernels/layer_norm';
import { createNormalize } from '../kernels/normalize';
import { createPool, poolWorkgroups } from '../kernels/pool';
import { createTopK } from '../kernels/top_k';
import type { Workspace } from '../runtime/workspace';
import type { ModelConfig } from './config';
import type { Geometry } from './geometry';
import type { EmbeddingModule } from './modules/dense';
import type { Linear, Norm, Weights } from './weights';

/** What to compute from the encoder's hidden states. Those by row take stream rows, the others whole sequences. */
export type Head =
  | { kind: 'hidden' } //                                     by row: final_norm
  | { kind: 'logits' } //                                     by row: masked LM or token classifier
  | { kind: 'top_k'; k: number } //                           by row: masked LM, best k with probabilities
  | { kind: 'token_embeddings' } //                           by row: multi-vector, of unit length
  | PooledHead //                                             by sequence
  | { kind: 'sequence_logits' }; //                           by sequence: sequence classifier

/** `skip`: tokens at the beginning that only cls sees (default 0); `dimensions`: numbers to keep (default all), before `normalize`. */
export interface PooledHead {
  kind: 'pooled';
  pooling: Pooling[];
  normalize: boolean;
  skip?: number;
  dimensions?: number;
}

type HeadByRow = Exclude<Head, { kind: 'pooled' | 'sequence_logits' }>;
export const isByRow = (head: Head): head is HeadByRow => head.kind !== 'pooled' && head.kind !== 'sequence_logits';

/** The buffers that heads work in; rows as many as one chunk has, rounded up to 64. */
export interface HeadSpace {
  a: GPUBuffer; // f32 [rows, widest]: hidden, or what the widest embedding module takes or gives
  b: GPUBuffer; // f32 [rows, widest]
  logits: GPUBuffer | undefined; // f32 [rows, columns]
  best: GPUBuffer | undefined; // [rows, k] of (u32 id, f32 probability)
}

/** Compiles a head's kernels when they are first wanted, once. `modules`: what comes after the pooling. */
export function headKernels(
  gpu: Gpu,
  config: ModelConfig,
  geometry: Geometry,
  weights: Weights,
  modules: EmbeddingModule[],
) {
  const compiled = new Map<string, Promise<Kernel | Gemm>>();
  const once = <T extends Kernel | Gemm>(key: string, create: () => Promise<T>): Promise<T> => {
    const kernel = (compiled.get(key) as Promise<T> | undefined) ?? create();
    compiled.set(key, kernel);
    return kernel;
  };
  const { hidden: stride } = geometry;
  const norm = { hidden: config.hidden_size, stride, eps: config.norm_eps, out: 'f32' } as const;
  const gemm = (
    label: string,
    { n, k, hasBias: bias, dtype }: Omit<Linear, 'weight' | 'scales' | 'bias'>,
    epilogue: Epilogue,
    extra = {},
  ) => createGemm(gpu, { label, n, k, bias, epilogue, dtype, a: 'f32', out: 'f32', ...extra });
  const heads = {
    norm: () => once('norm', () => createLayerNorm(gpu, { ...norm, gather: false })),
    gather: () => once('gather', () => createLayerNorm(gpu, { ...norm, gather: true })),
    pool: (pooling: Pooling, outStride = stride, outColumn = 0) =>
      once(`${pooling} ${outStride} ${outColumn}`, () => createPool(gpu, { stride, pooling, outStride, outColumn })),
    normalize: (width: Width) => once(`normalize ${width.stride} ${width.columns}`, () => createNormalize(gpu, width)),
    embeddingDense: (m: number, { linear, activation }: EmbeddingModule & { kind: 'dense' }) =>
      once(`embedding dense ${m}`, () =>
        gemm('embedding dense', linear, activation ? { kind: 'activation', activation } : { kind: 'store' }),
      ),
    dense: (l: Linear) =>
      once('dense', () => gemm('head.dense', l, { kind: 'activation', activation: config.classifier_activation })),
    classifier: (l: Linear) => once('classifier', () => gemm('classifier', l, { kind: 'store' })),
    decoder: (piece: number) =>
      once(`decoder ${piece}`, () => {
        const { table, hasBias } = weights.decoder!;
        const { firstRow, rows } = table.pieces[piece];
        const place = { outStride: geometry.vocab, outColumn: firstRow };
        return gemm('decoder', { n: rows, k: stride, hasBias, dtype: table.dtype }, { kind: 'store' }, place);
      }),
    topK: () => once('top_k', () => createTopK(gpu, { vocab: config.vocab_size, stride: geometry.vocab })),
  };
  /** Compiles what the task's usual calls want, so that the first of them does not wait for it. */
  async function warm(pooling: Pooling[] | undefined): Promise<void> {
    const { task, head, decoder, classifier } = weights;
    const wanted: Promise<Kernel | Gemm>[] = [heads.norm()];
    if (task === 'encoder') {
      const { pooled, widths } = embeddingWidths(config, geometry, modules, pooling?.length ?? 1);
      const places = pooling?.map((mode, p) => heads.pool(mode, pooled.stride, p * config.hidden_size));
      wanted.push(...(places ?? [heads.gather()]), heads.normalize(widths.at(-1) ?? pooled));
      for (const [m, module] of modules.entries()) {
        if (module.kind === 'dense') wanted.push(heads.embeddingDense(m, module));
      }
    }
    if (task === 'seqcls') wanted.push(heads.pool(config.classifier_pooling));
    if (task === 'mlm' || task === 'tokcls') wanted.push(heads.gather());
    if (head) wanted.push(heads.dense(head.dense));
    if (decoder) wanted.push(heads.topK(), ...decoder.table.pieces.map((_, piece) => heads.decoder(piece)));
    if (classifier) wanted.push(heads.classifier(classifier));
    await Promise.all(wanted);
  }
  return { ...heads, modules, warm };
}

export type HeadKernels = ReturnType<typeof headKernels>;

/** A row's floats on the GPU, and how many of them count. */
export interface Width {
  stride: number;
  columns: number;
}

/** How wide embeddings are after `poolings` poolings side by side, and after each of the modules. */
export function embeddingWidths(config: ModelConfig, geometry: Geometry, modules: EmbeddingModule[], poolings: number) {
  const pooled: Width = {
    stride: poolings === 1 ? geometry.hidden : poolings * config.hidden_size,
    columns: poolings * config.hidden_size,
  };
  const widths: Width[] = [];
  for (const module of modules) {
    const before = widths.at(-1) ?? pooled;
    widths.push(module.kind === 'dense' ? { stride: module.linear.n, columns: module.features } : before);
  }
  return { pooled, widths };
}

/** What one chunk of a head's rows takes: dispatches, and the buffer that then has the answer. */
export interface HeadChunk {
  dispatches: Dispatch[];
  source: GPUBuffer;
}

/** What the heads of a pass have in common. */
export interface HeadContext {
  gpu: Gpu;
  bind: (kernel: Kernel, buffers: Record<string, Bindable>) => GPUBindGroup;
  config: ModelConfig;
  geometry: Geometry;
  weights: Weights;
  kernels: HeadKernels;
  workspace: Workspace;
  space: HeadSpace;
  /** Tokens of the pass. */
  tokens: number;
}

/**
 * The dispatches of `head` for `count` rows or sequences. `indices`: u32 [count] stream rows, or spans (poolSpan) for heads by
 * sequence. Every width is padded; `space.a` and `space.b` take turns.
 */
export async function headChunk(
  context: HeadContext,
  head: Head,
  count: number,
  indices: Bindable,
): Promise<HeadChunk> {
  const { gpu, bind, config, geometry, weights, kernels, workspace, space, tokens } = context;
  const { none } = gpu;
  const { hidden_states, wide } = workspace;
  const { a, b, logits } = space;
  const dispatch = (
    kernel: Kernel,
    buffers: Record<string, Bindable>,
    workgroups: Dispatch['workgroups'],
  ): Dispatch => ({
    kernel,
    bindGroup: bind(kernel, buffers),
    workgroups,
  });
  const norm = (kernel: Kernel, { weight, bias }: Norm, from: GPUBuffer, to: GPUBuffer, rows: Bindable, n: number) =>
    dispatch(kernel, { hidden_states: from, rows, weight, bias, normed: to }, normWorkgroups(n));
  const gemm = (compiled: Gemm, w: GPUBuffer, w_scales: GPUBuffer, bias: Bindable, from: GPUBuffer, to: GPUBuffer) => {
    const { kernel, workgroups } = gemmDispatch(compiled, count);
    return dispatch(kernel, { a: from, w, w_scales, bias, positions: none, rope: none, out: to }, workgroups);
  };
  const linear = (compiled: Gemm, { weight, scales, bias }: Linear, from: GPUBuffer, to: GPUBuffer) =>
    gemm(compiled, weight, scales, bias, from, to);

  /** norm(act(dense(a))) → a, by way of b. */
  const predictionHead = async (): Promise<Dispatch[]> => {
    const { dense, norm: headNorm } = weights.head!;
    return [linear(await kernels.dense(dense), dense, a, b), norm(await kernels.norm(), headNorm, b, a, none, count)];
  };
  const classify = async (): Promise<Dispatch[]> => {
    const { classifier } = weights;
    if (classifier) return [linear(await kernels.classifier(classifier), classifier, a, logits!)];
    const { table, bias } = weights.decoder!;
    return Promise.all(
      table.pieces.map(async ({ buffer, scales, firstRow, rows }, piece) => {
        const part = bias === none ? bias : { buffer: bias, offset: firstRow * 4, size: rows * 4 };
        return gemm(await kernels.decoder(piece), buffer, scales, part, a, logits!);
      }),
    );
  };

  /** The embedding modules on what is in a, then `dimensions` of it to unit length. They take turns in a and b. */
  const embedding = async (poolings: number, normalized: boolean, dimensions?: number): Promise<HeadChunk> => {
    const dispatches: Dispatch[] = [];
    const { pooled, widths } = embeddingWidths(config, geometry, kernels.modules, poolings);
    const normalize = async (embeddings: GPUBuffer, width: Width) =>
      void dispatches.push(dispatch(await kernels.normalize(width), { embeddings }, [count]));
    let [source, free] = [a, b];
    for (const [m, module] of kernels.modules.entries()) {
      if (module.kind === 'normalize') await normalize(source, widths[m]);
      else {
        dispatches.push(linear(await kernels.embeddingDense(m, module), module.linear, source, free));
        [source, free] = [free, source];
      }
    }
    const last = widths.at(-1) ?? pooled;
    if (normalized) await normalize(source, { ...last, columns: dimensions ?? last.columns });
    return { dispatches, source };
  };

  if (isByRow(head)) {
    const gathered = norm(await kernels.gather(), weights.final_norm, hidden_states, a, indices, count);
    if (head.kind === 'hidden') return { dispatches: [gathered], source: a };
    if (head.kind === 'token_embeddings') {
      const { dispatches, source } = await embedding(1, true);
      return { dispatches: [gathered, ...dispatches], source };
    }
    const dispatches = [gathered, ...(await predictionHead()), ...(await classify())];
    if (head.kind === 'logits') return { dispatches, source: logits! };
    const best = { buffer: space.best!, size: count * head.k * 8 };
    dispatches.push(dispatch(await kernels.topK(), { logits: logits!, best }, [count]));
    return { dispatches, source: best.buffer };
  }

  const modes = head.kind === 'pooled' ? head.pooling : [weights.classifier!.pooling];
  const { stride } = embeddingWidths(config, geometry, kernels.modules, modes.length).pooled;
  const dispatches = [norm(await kernels.norm(), weights.final_norm, hidden_states, wide, none, tokens)]; // [T, hidden]
  for (const [m, mode] of modes.entries()) {
    const pool = await kernels.pool(mode, stride, m * config.hidden_size);
    const buffers = { hidden_states: wide, spans: indices, pooled: a };
    dispatches.push(dispatch(pool, buffers, poolWorkgroups(geometry.hidden, count)));
  }
  if (head.kind === 'pooled') {
    const embedded = await embedding(modes.length, head.normalize, head.dimensions);
    return { dispatches: [...dispatches, ...embedded.dispatches], source: embedded.source };
  }
  dispatches.push(...(await predictionHead()), ...(await classify()));
  return { dispatches, source: logits! };
}
