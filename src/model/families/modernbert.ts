import type { Arithmetic, Compute } from '../../api/types';
import type { Gpu } from '../../gpu/device';
import { bind, type Kernel, type Step } from '../../gpu/kernel';
import {
  type AttentionTile,
  attentionFlops,
  attentionTile,
  attentionWorkgroups,
  createAttention,
} from '../../kernels/attention';
import { createEmbed } from '../../kernels/embed';
import {
  createGemm,
  type Epilogue,
  type Gemm,
  type GemmPlan,
  type GemmSpec,
  gemmDispatch,
  M_MULTIPLE,
} from '../../kernels/gemm';
import { createLayerNorm, normWorkgroups } from '../../kernels/layer_norm';
import { createQuantizeRows, quantizeWorkgroups } from '../../kernels/quantize_rows';
import { roundUp } from '../../kernels/storage';
import type { PassShape, Workspace } from '../../runtime/workspace';
import type { ModelConfig } from '../config';
import type { Geometry } from '../geometry';
import type { Linear, Norm, Weights } from '../weights';

/** The compiled kernels of the encoder; layers share them. */
export interface EncoderKernels {
  tile: AttentionTile;
  embed: Kernel[]; // one a piece of the table
  quantize: Kernel | undefined; // with compute int8
  norm: Kernel;
  Wqkv: Gemm;
  attention: Kernel;
  Wo: Gemm;
  Wi: Gemm;
  mlp_Wo: Gemm;
}

/** Compiles the encoder's kernels side by side. `act`: storage of activations and tiles; `planFor`: which tiles a GEMM uses, where not the default ones. */
export async function compileEncoder(
  gpu: Gpu,
  config: ModelConfig,
  geometry: Geometry,
  weights: Weights,
  act: Arithmetic,
  compute: Compute,
  planFor: (spec: GemmSpec) => Promise<GemmPlan | undefined> = async () => undefined,
): Promise<EncoderKernels> {
  const { hidden, heads, headDim, attention } = geometry;
  const { tok_embeddings } = weights;
  const norm = { hidden: config.hidden_size, stride: hidden, eps: config.norm_eps, out: act };
  const gemm = async (label: string, { n, k, hasBias: bias, dtype }: Linear, epilogue: Epilogue) => {
    const out = epilogue.kind === 'residual' ? 'f32' : act;
    const a = compute === 'int8' && dtype === 'q8' ? 'int8' : act;
    const spec: GemmSpec = { label, n, k, bias, epilogue, dtype, a, out };
    return createGemm(gpu, spec, await planFor(spec));
  };
  const [layer] = weights.layers;
  const activation = config.hidden_activation;
  // q carries the softmax scale and log2 e, for attention computes in base 2.
  const qScale = Math.LOG2E / Math.sqrt(config.head_dim);
  const tile = attentionTile(gpu, headDim);
  const [embed, quantize, layerNorm, Wqkv, attend, Wo, Wi, mlp_Wo] = await Promise.all([
    Promise.all(
      tok_embeddings.pieces.map(({ firstRow, rows }) =>
        createEmbed(gpu, { ...norm, dtype: tok_embeddings.dtype, firstId: firstRow, ids: rows }),
      ),
    ),
    compute === 'int8' ? createQuantizeRows(gpu, act) : undefined,
    createLayerNorm(gpu, { ...norm, gather: false }),
    gemm('Wqkv', layer.Wqkv, { kind: 'rope', attentionWidth: attention, headDim, qScale }),
    createAttention(gpu, { heads, headDim, act, tile }),
    gemm('attn.Wo', layer.Wo, { kind: 'residual' }),
    gemm('mlp.Wi', layer.Wi, { kind: 'geglu', activation }),
    gemm('mlp.Wo', layer.mlp_Wo, { kind: 'residual' }),
  ]);
  return { tile, embed, quantize, norm: layerNorm, Wqkv, attention: attend, Wo, Wi, mlp_Wo };
}

/**
 * The forward pass, in reading order: the steps that make the embeddings, then those of each layer. They are built once for a
 * workspace (bind groups and all) and serve every pass that fits it. T: tokens of the stream; the residual stream is
 * `hidden_states` [T, hidden], f32. Published as ModernBertModel (transformers, modeling_modernbert.py).
 */
export function buildEncoder(
  gpu: Gpu,
  config: ModelConfig,
  geometry: Geometry,
  weights: Weights,
  kernels: EncoderKernels,
  workspace: Workspace,
): { embeddings: Step<PassShape>[]; layers: Step<PassShape>[][] } {
  const { input_ids, positions, hidden_states, normed, wide } = workspace;
  const { none } = gpu;
  const { hidden_size, intermediate_size, head_dim } = config;
  const paddedRows = (s: PassShape) => roundUp(s.tokens, M_MULTIPLE);

  // embeddings: [T] → hidden_states [T, hidden]; normed as well, for layer 0
  const embeddings = kernels.embed.map((kernel, piece): Step<PassShape> => {
    const { buffer: table, scales: table_scales } = weights.tok_embeddings.pieces[piece];
    const { weight, bias } = weights.embeddings_norm;
    const bindGroup = bind(gpu, kernel, { input_ids, table, table_scales, weight, bias, hidden_states, normed });
    return (s) => ({ kernel, bindGroup, workgroups: normWorkgroups(paddedRows(s)) });
  });

  // normed = LayerNorm(hidden_states): [T, hidden]
  const norm = ({ weight, bias }: Norm): Step<PassShape> => {
    const kernel = kernels.norm;
    const bindGroup = bind(gpu, kernel, { hidden_states, rows: none, weight, bias, normed });
    return (s) => ({ kernel, bindGroup, workgroups: normWorkgroups(s.tokens) });
  };

  // a [T, k] → int8.a, int8.a_scales
  const quantize = (a: GPUBuffer, k: number): Step<PassShape> => {
    const kernel = kernels.quantize!;
    const bindGroup = bind(gpu, kernel, { x: a, ...workspace.int8! });
    return (s) => ({ kernel, bindGroup, workgroups: quantizeWorkgroups(s.tokens, k) });
  };

  // out [T, n] = a [T, k] · wᵀ, or added to out; `useful`: multiplications a token
  const gemm = (
    compiled: Gemm,
    { weight: w, scales: w_scales, bias }: Linear,
    a: GPUBuffer,
    out: GPUBuffer,
    useful: number,
    rope = none,
  ): Step<PassShape>[] => {
    const { a: type, k } = compiled.spec;
    const input = type === 'int8' ? workspace.int8! : { a };
    const bindGroup = bind(gpu, compiled.variants[0].kernel, { ...input, w, w_scales, bias, positions, rope, out });
    return [
      ...(type === 'int8' ? [quantize(a, k)] : []),
      (s) => ({ ...gemmDispatch(compiled, s.tokens), bindGroup, flops: 2 * useful * s.tokens }),
    ];
  };

  // normed [T, attention] = softmax(q kᵀ) v of wide [T, 3 attention]
  const attend = (window: number): Step<PassShape> => {
    const kind = window === 0 ? 'global' : 'window';
    const kernel = kernels.attention;
    const bindGroup = bind(gpu, kernel, { qkv: wide, ...workspace[kind], out: normed });
    return (s) => ({
      label: `attention ${kind}`,
      kernel,
      bindGroup,
      workgroups: attentionWorkgroups(s[kind].tiles, geometry.heads, geometry.headDim, kernels.tile),
      flops: 4 * s[kind].pairs * head_dim * geometry.heads,
      issuedFlops: attentionFlops(s[kind].issuedPairs, geometry.heads, geometry.headDim, kernels.tile),
    });
  };

  const layers = weights.layers.map(({ attn_norm, Wqkv, Wo, mlp_norm, Wi, mlp_Wo, window, rope_theta }) => [
    ...(attn_norm ? [norm(attn_norm)] : []),
    ...gemm(kernels.Wqkv, Wqkv, normed, wide, 3 * hidden_size * hidden_size, workspace.rope.get(rope_theta)!), // q, k rotated; [T, 3 attention]
    attend(window), //                                                              [T, attention]
    ...gemm(kernels.Wo, Wo, normed, hidden_states, hidden_size * hidden_size), //      hidden_states += ·
    norm(mlp_norm), //                                                              [T, hidden]
    ...gemm(kernels.Wi, Wi, normed, wide, 2 * hidden_size * intermediate_size), //     act(value) * gate; [T, intermediate]
    ...gemm(kernels.mlp_Wo, mlp_Wo, wide, hidden_states, hidden_size * intermediate_size), // hidden_states += ·
  ]);
  return { embeddings, layers };
}
