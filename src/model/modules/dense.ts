import { ModelFileError } from '../../api/errors';
import type { Dtype } from '../../api/types';
import type { ModelFiles } from '../../formats/model-files';
import { isQuantized } from '../../formats/quantize';
import { missingFile, type StreamOptions } from '../../formats/read';
import { readSafetensors } from '../../formats/safetensors';
import type { GpuMemory } from '../../gpu/buffers';
import type { Gpu } from '../../gpu/device';
import { type Activation, K_MULTIPLE } from '../../kernels/gemm';
import { roundUp, weightBytes } from '../../kernels/storage';
import type { DenseSpec, ModuleSpec } from '../sentence';
import { checkTensor, createUploader, type Placement } from '../upload';
import type { Linear } from '../weights';

/** What comes after the pooling, on the GPU. */
export type EmbeddingModule = { kind: 'normalize' } | DenseModule;

export interface DenseModule {
  kind: 'dense';
  /** Its folder among the checkpoint's files. */
  path: string;
  /** `n` is padded like the next module's k. */
  linear: Linear;
  /** Numbers that it gives. */
  features: number;
  activation: Activation | undefined;
  /** Where the tensors of its own model.safetensors go. */
  places: Map<string, Placement>;
}

/** Allocates the modules' weights, which like other heads' are at least f16. */
export const planModules = (modules: ModuleSpec[], memory: GpuMemory, dtype: Dtype): EmbeddingModule[] =>
  modules.map((spec) =>
    spec.kind === 'normalize' ? spec : planDense(spec, memory, isQuantized(dtype) ? 'f16' : dtype),
  );

function planDense(spec: DenseSpec, memory: GpuMemory, dtype: Dtype): DenseModule {
  const { path, in_features, out_features, bias: hasBias, activation } = spec;
  const { none } = memory.gpu;
  const [n, k] = [roundUp(out_features, K_MULTIPLE), roundUp(in_features, K_MULTIPLE)];
  const weight = memory.alloc('weights', `${path} weight`, weightBytes(n * k, dtype));
  const bias = hasBias ? memory.alloc('weights', `${path} bias`, n * 4) : none;
  const pieces = (buffer: GPUBuffer) => [{ buffer, scales: none, firstRow: 0 }];
  const places = new Map<string, Placement>();
  places.set('linear.weight', { shape: [out_features, in_features], dtype, stride: k, pieces: pieces(weight) });
  if (hasBias) places.set('linear.bias', { shape: [out_features], dtype: 'f32', stride: n, pieces: pieces(bias) });
  const linear: Linear = { dtype, weight, scales: none, bias, hasBias, n, k };
  return { kind: 'dense', path, linear, features: out_features, activation, places };
}

/**
 * Streams a Dense module's weights to the GPU; a Normalize has none. Throws ModelFileError for a missing file and a missing, misshapen or
 * broken tensor.
 */
export async function loadModule(
  files: ModelFiles,
  module: EmbeddingModule,
  gpu: Gpu,
  options: StreamOptions,
): Promise<void> {
  if (module.kind === 'normalize') return;
  const { path, places } = module;
  const name = `${path}/model.safetensors`;
  const file = await files.open(name, options.signal);
  if (!file) throw missingFile(files, name);
  const uploader = createUploader(gpu, name);
  await readSafetensors(
    files.keep?.(file) ?? file,
    {
      header(tensors) {
        for (const [wanted, place] of places) {
          const tensor = tensors.find((entry) => entry.name === wanted);
          if (!tensor)
            throw new ModelFileError(`${name} has no tensor '${wanted}', which ${path}/config.json asks for.`);
          checkTensor(tensor, place, name);
        }
        return places;
      },
      chunk: (tensor, _offset, bytes) => uploader.chunk(tensor, bytes, places.get(tensor.name)!),
    },
    options,
  );
}
