import type { Pooling } from '../api/calls';
import { ModelFileError } from '../api/errors';
import type { Dtype, LoadOptions, Task } from '../api/types';
import { listCheckpointFiles } from '../formats/checkpoint';
import { prepareFile, quantizedDtypeOf } from '../formats/convert';
import type { ModelFiles } from '../formats/model-files';
import { GROUP, isQuantized, K_STEP, type QuantizedDtype } from '../formats/quantize';
import { readSafetensors, type TensorInfo } from '../formats/safetensors';
import type { GpuMemory } from '../gpu/buffers';
import { roundUp, weightBytes } from '../kernels/storage';
import { chooseDtype, parametersOf } from './choose-dtype';
import { type ModelConfig, taskOf } from './config';
import { attentionPlace, type Geometry, gegluPlace, qkvPlace } from './geometry';
import { checkTensor, createUploader, type Placement } from './upload';

export interface Norm {
  weight: GPUBuffer;
  bias: GPUBuffer;
}

/** out = x · weightᵀ + bias; [n, k] on the GPU, padded. `gpu.none` where there is no bias, or no scales as weight is not quantised. */
export interface Linear {
  dtype: Dtype;
  weight: GPUBuffer;
  scales: GPUBuffer;
  bias: GPUBuffer;
  hasBias: boolean;
  n: number;
  k: number;
}

export interface Layer {
  /** Layer 0 has none: the embeddings' norm serves. */
  attn_norm: Norm | undefined;
  Wqkv: Linear;
  Wo: Linear;
  mlp_norm: Norm;
  Wi: Linear;
  mlp_Wo: Linear;
  window: number;
  rope_theta: number;
}

/** A table [vocab, hidden] in pieces that each fit a binding. */
export interface Table {
  dtype: Dtype;
  pieces: { buffer: GPUBuffer; scales: GPUBuffer; firstRow: number; rows: number }[];
}

export interface Weights {
  task: Task;
  dtype: Dtype;
  tok_embeddings: Table;
  embeddings_norm: Norm;
  layers: Layer[];
  final_norm: Norm;
  head: { dense: Linear; norm: Norm } | undefined;
  /** Tied to tok_embeddings, or a table of its own. */
  decoder: { table: Table; bias: GPUBuffer; hasBias: boolean } | undefined;
  classifier: (Linear & { labels: number; pooling: Pooling }) | undefined;
}

export type WeightOptions = Pick<LoadOptions, 'dtype' | 'task' | 'onProgress' | 'signal'>;

/**
 * Streams the checkpoint's tensors to the GPU. `planned` is called as soon as all buffers are there and the bytes begin to come, so that
 * kernels can be compiled meanwhile. Throws ModelFileError for a missing, misshapen or broken tensor.
 */
export async function loadWeights(
  files: ModelFiles,
  config: ModelConfig,
  geometry: Geometry,
  memory: GpuMemory,
  options: WeightOptions,
  planned: (weights: Weights) => void,
): Promise<Weights> {
  const checkpoint = await listCheckpointFiles(files, options);
  const headDim = config.hidden_size / config.num_attention_heads;
  let plan: ReturnType<typeof planWeights> | undefined;
  const chooseFor = (tensors: TensorInfo[], stored: QuantizedDtype | undefined): Dtype => {
    if (plan) return plan.weights.dtype;
    const names = new Set(checkpoint.weightMap?.keys() ?? tensors.map((t) => t.name));
    const largest = tensors.reduce((a, b) => (b.end - b.begin > a.end - a.begin ? b : a), tensors[0]);
    const dtype = chooseDtype(options.dtype ?? 'auto', {
      stored,
      isF32: largest?.dtype === 'F32',
      parameters: parametersOf(config),
      maxBufferSize: memory.gpu.limits.maxBufferSize,
      deviceMemory: (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory,
    });
    plan = planWeights(memory, config, geometry, names, dtype, options.task);
    planned(plan.weights);
    return dtype;
  };
  const seen = new Set<string>();
  for (const name of checkpoint.names) {
    const source = await checkpoint.open(name, options.signal);
    const converted = source.isPrepared ? undefined : await prepareFile(source, chooseFor, headDim, options);
    const file = converted ? (files.keep?.(converted) ?? converted) : source;
    const uploader = createUploader(memory.gpu, name);
    await readSafetensors(
      file,
      {
        header(tensors, metadata) {
          if (!converted) chooseFor(tensors, quantizedDtypeOf(metadata, name));
          for (const tensor of tensors) {
            const place = plan!.places.get(tensor.name);
            if (!place) continue;
            checkTensor(tensor, place, name);
            seen.add(tensor.name);
          }
          return plan!.places;
        },
        chunk: (tensor, _offset, bytes) => uploader.chunk(tensor, bytes, plan!.places.get(tensor.name)!),
      },
      { signal: options.signal, onProgress: converted ? undefined : options.onProgress },
    );
  }
  const missing = [...plan!.places.keys()].filter((name) => !seen.has(name));
  if (missing.length > 0) {
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
    throw new ModelFileError(
      `${files.where}: the checkpoint lacks ${missing.length} of the tensors that config.json asks for: ${missing.slice(0, 3).join(', ')}${more}.`,
    );
  }
  return plan!.weights;
}

/** Allocates every weight's buffers and says where each tensor of the file goes. */
export function planWeights(
  memory: GpuMemory,
  config: ModelConfig,
  geometry: Geometry,
  names: ReadonlySet<string>,
  dtype: Dtype,
  asked: Task | undefined,
) {
  const { gpu } = memory;
  const { hidden_size, intermediate_size, vocab_size } = config;
  const task = taskOf(config, names, asked);
  const places = new Map<string, Placement>();
  // Bare encoders have no "model." prefix.
  const prefix = names.has('model.embeddings.tok_embeddings.weight') ? 'model.' : '';

  function vector(name: string, size: number, stride: number, columnAt?: (c: number) => number): GPUBuffer {
    const buffer = memory.alloc('weights', name, stride * 4);
    const pieces = [{ buffer, scales: gpu.none, firstRow: 0 }];
    places.set(name, { shape: [size], dtype: 'f32', stride, pieces, columnAt });
    return buffer;
  }
  const zeros = memory.alloc('weights', 'zero bias', geometry.hidden * 4);
  const norm = (name: string): Norm => ({
    weight: vector(`${name}.weight`, hidden_size, geometry.hidden),
    bias: config.norm_bias ? vector(`${name}.bias`, hidden_size, geometry.hidden) : zeros,
  });

  /** Allocates a matrix [n, k], a table in pieces that fit a binding; the file's `shape` goes there. What cannot be quantised is f16. */
  function matrix(
    name: string,
    shape: [number, number],
    [n, k]: [number, number],
    wanted: Dtype,
    move: Pick<Placement, 'rowAt' | 'columnAt'> = {},
    isTable = false,
  ): Table {
    const isWhole = shape[1] % K_STEP === 0 && !move.columnAt;
    const dtype = isQuantized(wanted) && !isWhole ? 'f16' : wanted;
    const limit = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
    const most = isTable ? Math.floor(limit / weightBytes(k, dtype) / 128) * 128 : n;
    const pieces: Table['pieces'] = [];
    for (let firstRow = 0; firstRow < n; firstRow += most) {
      const rows = Math.min(most, n - firstRow);
      const label = `${name} ${firstRow}`;
      const buffer = memory.alloc('weights', label, weightBytes(rows * k, dtype));
      const scales = isQuantized(dtype) ? memory.alloc('weights', `${label} scales`, (rows * k * 2) / GROUP) : gpu.none;
      pieces.push({ buffer, scales, firstRow, rows });
    }
    places.set(name, { shape, dtype, stride: k, pieces, ...move });
    if (isQuantized(dtype)) {
      const stride = k / GROUP;
      const scales = pieces.map((piece) => ({ ...piece, buffer: piece.scales }));
      places.set(`${name}.scales`, { shape: [shape[0], stride], dtype: 'f16', stride, pieces: scales, ...move });
    }
    return { dtype, pieces };
  }

  function linear(
    name: string,
    hasBias: boolean,
    [rows, columns]: [number, number],
    [n, k]: [number, number],
    move: Pick<Placement, 'rowAt' | 'columnAt'> = {},
    wanted = dtype,
  ): Linear {
    const { dtype, pieces } = matrix(`${name}.weight`, [rows, columns], [n, k], wanted, move);
    const bias = hasBias ? vector(`${name}.bias`, rows, n, move.rowAt) : gpu.none;
    return { dtype, weight: pieces[0].buffer, scales: pieces[0].scales, bias, hasBias, n, k };
  }

  const table = (name: string): Table => {
    const { hidden, vocab } = geometry;
    return matrix(name, [vocab_size, hidden_size], [vocab, hidden], dtype === 'q4' ? 'q8' : dtype, {}, true);
  };

  const { hidden, attention, intermediate } = geometry;
  const [h, i] = [hidden_size, intermediate_size];
  const headDtype = isQuantized(dtype) ? 'f16' : dtype;
  const tok_embeddings = table(`${prefix}embeddings.tok_embeddings.weight`);
  const layers = config.layers.map(({ window, rope_theta }, index): Layer => {
    const name = `${prefix}layers.${index}`;
    return {
      attn_norm: index === 0 ? undefined : norm(`${name}.attn_norm`),
      Wqkv: linear(`${name}.attn.Wqkv`, config.attention_bias, [3 * h, h], [3 * attention, hidden], {
        rowAt: qkvPlace(config, geometry),
      }),
      Wo: linear(`${name}.attn.Wo`, config.attention_bias, [h, h], [hidden, attention], {
        columnAt: attention === h ? undefined : attentionPlace(config, geometry),
      }),
      mlp_norm: norm(`${name}.mlp_norm`),
      Wi: linear(`${name}.mlp.Wi`, config.mlp_bias, [2 * i, h], [2 * intermediate, hidden], {
        rowAt: gegluPlace(config),
      }),
      mlp_Wo: linear(`${name}.mlp.Wo`, config.mlp_bias, [h, i], [hidden, intermediate]),
      window,
      rope_theta,
    };
  });
  const weights: Weights = {
    task,
    dtype,
    tok_embeddings,
    embeddings_norm: norm(`${prefix}embeddings.norm`),
    layers,
    final_norm: norm(`${prefix}final_norm`),
    head: undefined,
    decoder: undefined,
    classifier: undefined,
  };
  if (task !== 'encoder') {
    weights.head = {
      dense: linear('head.dense', config.classifier_bias, [h, h], [hidden, hidden], {}, headDtype),
      norm: norm('head.norm'),
    };
  }
  if (task === 'mlm') {
    weights.decoder = {
      table: config.tie_word_embeddings ? tok_embeddings : table('decoder.weight'),
      bias: config.decoder_bias ? vector('decoder.bias', vocab_size, geometry.vocab) : gpu.none,
      hasBias: config.decoder_bias,
    };
  }
  if (task === 'seqcls' || task === 'tokcls') {
    const labels = config.labels.length || 2; // transformers' default num_labels
    weights.classifier = {
      ...linear('classifier', true, [labels, h], [roundUp(labels, 8), hidden], {}, headDtype),
      labels,
      pooling: config.classifier_pooling,
    };
  }
  return { weights, places };
}
