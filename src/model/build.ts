import type { Arithmetic, Compute, Dtype, Task } from '../api/types';
import { isQuantized } from '../formats/quantize';
import type { Gpu } from '../gpu/device';
import type { ModelConfig } from './config';
import type { Encoder, Family } from './family';
import type { GlinerCheckpoint, GlinerEncoder } from './gliner/gliner';
import { pooled } from './heads/rows';
import { taskOf } from './heads/tasks';
import type { LoadedModel } from './model';
import type { Module } from './modules/module';
import { isPooling } from './modules/pooling';
import type { Chain, SentenceConfig } from './sentence';
import { declareTensors, type TensorNames, type Tensors } from './tensors';
import type { Placement } from './upload';

export interface BuildOptions {
  gpu: Gpu;
  family: Family;
  config: ModelConfig;
  /** sentence-transformers' modules after the Transformer. */
  sentence: Pick<SentenceConfig, 'modules' | 'chains'>;
  /** Names of the checkpoint's tensors. */
  names: TensorNames;
  dtype: Dtype;
  act: Arithmetic;
  compute: Compute;
  /** What the caller says that the head is. */
  task: Task | undefined;
  /** Of a GLiNER model: which of its encoders this is. */
  gliner?: GlinerEncoder;
  /** Allocates a zeroed buffer of weights. */
  alloc(label: string, bytes: number): GPUBuffer;
}

/** A checkpoint's model: all of its buffers are allocated, and their contents are still to come. */
export interface BuiltModel {
  model: LoadedModel;
  /** The encoder's steps by the profile of the GPU as it is now; those of `model` are by the one it had. `act`: by default as built. */
  forward(act?: Arithmetic): Encoder;
  /** Where the checkpoint's tensors go, and those of each module's own file. */
  places: Map<string, Placement>;
  modulePlaces: { folder: string; places: Map<string, Placement> }[];
}

export function buildModel({ gpu, family, config, sentence, alloc, gliner, ...options }: BuildOptions): BuiltModel {
  const { names, dtype, act, compute } = options;
  const { modules, chains } = sentence;
  const maxBindingSize = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
  const tensors = declareTensors({ alloc, maxBindingSize, dtype, names, prefix: gliner?.prefix });
  const scores = scoresOf(chains);
  const task = gliner ? 'encoder' : taskOf(config, family, names, ownTask(chains) ?? options.task);
  const weights = family.tensors(config, tensors);
  const head = task === 'encoder' ? undefined : family.heads?.head(config, tensors, task, weights);
  const own = gliner && declareTensors({ alloc, maxBindingSize, dtype, names });
  const parts = own && gliner.declare(own);
  const placed = modules.map((module) => {
    const own = declareTensors({
      alloc,
      maxBindingSize,
      dtype: isQuantized(dtype) ? 'f16' : dtype,
      names,
      folder: module.path,
    });
    return { ...module.place(own), folder: module.path, places: own.places };
  });
  const forward = (type = act) =>
    placed.reduce(
      (encoder, { extend }) => extend?.(encoder) ?? encoder,
      family.forward(config, weights, { gpu, act: type, compute }),
    );
  // By path: after a loss the modules of a call's chain are those of the load before.
  const applies = new Map(placed.map(({ folder, apply }) => [folder, apply]));
  return {
    model: {
      config,
      task: gliner ? 'gliner' : scores ? 'seqcls' : task,
      dtype,
      act,
      compute,
      encoder: forward(),
      head,
      gliner: parts,
      scores: scores?.modules,
      logits: scores
        ? {
            columns: head?.output.columns ?? scores.columns,
            labels: Array.from({ length: scores.columns }, (_, i) => `LABEL_${i}`),
          }
        : (head?.output ?? { columns: 0, labels: [] }),
      through: (list, rows, poolings) =>
        list.reduce(
          (before, module) =>
            isPooling(module) ? pooled(before, poolings ?? module.poolings) : applies.get(module.path)!(before, head),
          rows,
        ),
    },
    forward,
    places: new Map([...tensors.places, ...(own?.places ?? [])]),
    modulePlaces: placed,
  };
}

/** What modules make of the Transformer, whatever its class is: the model whose logits they read, or for scores one without a head. */
function ownTask(chains: SentenceConfig['chains']): Task | undefined {
  const tasks = Object.values(chains).map(({ modules }) => modules.at(-1)?.task);
  return tasks.find((task) => task) ?? (scoresOf(chains) && 'encoder');
}

/** The chain that ends in a cross-encoder's scores; queries and documents are one sequence. */
const scoresOf = ({ any }: SentenceConfig['chains']): Chain | undefined =>
  any?.modules.at(-1)?.gives === 'scores' ? any : undefined;

/** Where tensors would go, without a GPU. */
function declared(dtype: Dtype, names: TensorNames, folder?: string, prefix?: string): Tensors {
  const alloc = (label: string, size: number) => ({ label, size }) as GPUBuffer;
  return declareTensors({ alloc, maxBindingSize: Infinity, dtype, names, folder, prefix });
}

/** Where the tensors of the encoder and of its head would go, without a GPU. Throws what taskOf throws. */
export function declaredPlaces(
  family: Family,
  config: ModelConfig,
  dtype: Dtype,
  names: TensorNames,
  asked?: Task,
  chains: SentenceConfig['chains'] = {},
): Map<string, Placement> {
  const tensors = declared(dtype, names);
  const task = taskOf(config, family, names, ownTask(chains) ?? asked);
  const weights = family.tensors(config, tensors);
  if (task !== 'encoder') family.heads?.head(config, tensors, task, weights);
  return tensors.places;
}

/** Where the modules' own tensors would go, without a GPU. */
export const declaredModulePlaces = (modules: Module[]): BuiltModel['modulePlaces'] =>
  modules.map((module) => {
    const tensors = declared('f32', new Set(), module.path);
    module.place(tensors);
    return { folder: module.path, places: tensors.places };
  });

/** Parameters of the encoder's matrices and table. */
export function parametersOf(family: Family, config: ModelConfig): number {
  const tensors = declared('f32', new Set());
  family.tensors(config, tensors);
  const sizes = [...tensors.places.values()].map(({ shape }) => (shape.length > 1 ? shape[0] * shape[1] : 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Where the tensors of a GLiNER model would go, without a GPU. */
export function glinerPlaces(
  { encoder, text, labels }: Pick<GlinerCheckpoint, 'encoder' | 'text' | 'labels'>,
  dtype: Dtype,
  names: TensorNames,
): Map<string, Placement> {
  const placesOf = ({ family, config }: GlinerCheckpoint['encoder'], { prefix, declare }: GlinerEncoder) => {
    const [tensors, own] = [declared(dtype, names, undefined, prefix), declared(dtype, names)];
    family.tensors(config, tensors);
    declare(own);
    return [...tensors.places, ...own.places];
  };
  return new Map([...placesOf(encoder, text), ...(labels ? placesOf(labels.encoder, labels.head) : [])]);
}
