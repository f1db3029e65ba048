import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Arithmetic, Dtype } from '../../src/api/types';
import { fieldsOf } from '../../src/formats/json-fields';
import type { Gpu } from '../../src/gpu/device';
import { specialise } from '../../src/gpu/kernel';
import { profileOf } from '../../src/gpu/profile';
import { ACTIVATIONS } from '../../src/kernels/gemm-spec';
import type { Step } from '../../src/kernels/step';
import { buildModel } from '../../src/model/build';
import type { ModelConfig } from '../../src/model/config';
import { moreFamilies } from '../../src/model/families/more-families';
import type { Family } from '../../src/model/family';
import { readSpec } from '../../src/model/fixtures/golden';
import { readModernBert } from '../../src/model/fixtures/modernbert';
import { pooledEmbedding } from '../../src/model/heads/embeddings';
import { sequenceLogits, tokenLogits } from '../../src/model/heads/logits';
import { sparseEmbedding } from '../../src/model/heads/sparse';
import { topK } from '../../src/model/heads/top-k';
import { unchanged } from '../../src/model/modules/module';
import { POOLINGS } from '../../src/model/modules/pooling';
import type { SpladePooling } from '../../src/model/modules/splade-pooling';
import { chainOf } from '../../src/model/sentence';
import { covering, type GemmKind, gemmKinds, shaderVariants } from './variants';

const variants = shaderVariants();

/** A config.json of the reference checkpoints, by its family. */
function readOther(folder: string, family: Family): { family: Family; config: ModelConfig } {
  const file = new URL(`../../src/reference/fixtures/${folder}/config.json`, import.meta.url);
  return { family, config: family.readConfig(fieldsOf('config.json', JSON.parse(readFileSync(file, 'utf8')))) };
}
const OTHERS = {
  bert: 'bert',
  mpnet: 'mpnet',
  electra: 'electra',
  'deberta-v3': 'deberta_v2',
  'nomic-bert': 'nomic_bert',
  eurobert: 'eurobert',
} as const;

/** A GEMM without its sizes and its bias, which variants.ts has only with some weights. */
const keyOf = ({ epilogue, dtype, a, out }: GemmKind): string =>
  JSON.stringify([
    epilogue.kind,
    'activation' in epilogue && epilogue.activation,
    'headDim' in epilogue && epilogue.headDim,
    dtype,
    a,
    out,
  ]);

/** A shader without the values of sizes that only scale a loop or an array. */
const withoutSizes = (code: string): string => code.replace(SIZES, '$1');
const SIZES =
  /^(const (?:HEADS|KV_HEADS|HIDDEN|Q_WIDTH|ROTATED|STRIDE|A_STRIDE|A_COLUMN|B_STRIDE|B_COLUMN|REACH|SPAN|EPS|FIRST_ID|IDS|POSITIONS|OUT_STRIDE|OUT_COLUMN|OUT_COLUMNS|COLUMNS|VOCAB|BLOCK|PIECE): \w+ = )[^;]+/gm;

/** All steps of a model with its heads, on a card that has everything. */
function stepsOf(read: ReturnType<typeof readOther>, dtype: Dtype, act: Arithmetic): Step<never>[] {
  const limits = {
    maxStorageBufferBindingSize: 2 ** 30,
    maxBufferSize: 2 ** 30,
    maxComputeWorkgroupStorageSize: 65536,
  };
  const profile = profileOf({ vendor: '', architecture: '', device: '', description: '' }, undefined);
  return (['mlm', 'seqcls'] as const).flatMap((task) => {
    const { model } = buildModel({
      ...read,
      gpu: { limits, profile } as Gpu,
      sentence: { modules: [], chains: {} },
      names: new Set(['pooler.dense.weight']),
      dtype,
      act,
      compute: dtype === 'q8' ? 'int8' : 'float',
      task,
      alloc: () => ({}) as GPUBuffer,
    });
    const pooled = POOLINGS.map((pooling) => pooledEmbedding({ pooling: [pooling], normalize: true }));
    const sparse = (['max', 'sum'] as const).flatMap((pooling_strategy) =>
      (['relu', 'log1p_relu'] as const).map((activation_function) => {
        const module: SpladePooling = {
          ...unchanged,
          kind: 'SpladePooling',
          path: '',
          gives: 'sparse',
          pooling_strategy,
          activation_function,
        };
        return sparseEmbedding(chainOf([module], 0), 100);
      }),
    );
    const heads = task === 'mlm' ? [tokenLogits, topK(5), ...pooled, ...sparse] : [sequenceLogits];
    const { constants = [], embeddings, layers } = model.encoder;
    return [
      ...constants,
      ...embeddings,
      ...layers.flat(),
      ...heads.flatMap((head) => head.build(model).steps),
    ] as Step<never>[];
  });
}

describe('shaderVariants', () => {
  it('has every WGSL file', () => {
    const files = Object.keys(import.meta.glob('../../src/kernels/*.wgsl')).map((path) => path.slice(18, -5));
    const shared = ['gemm', 'attention', 'layer_norm']; // precede those of their designs
    const made = new Set(variants.map(({ shader }) => shader.split(' ')[0]));
    expect([...made].sort()).toEqual(files.filter((file) => !shared.includes(file)).sort());
  });

  it('has no two of one name', () => {
    expect(new Set(variants.map(({ design, name }) => `${design}, ${name}`)).size).toBe(variants.length);
  });

  const { config } = readSpec('tiny-mlm');
  const configs = [
    ...ACTIVATIONS.map((hidden_activation) => ({
      ...config,
      hidden_activation,
      classifier_activation: hidden_activation,
    })),
    ...[32, 64, 96, 128].map((width) => ({ ...config, hidden_size: 2 * width, num_attention_heads: 2 })),
    { ...config, attention_bias: true, mlp_bias: true, norm_bias: true },
  ].map((json) => readModernBert({ ...json, model_type: 'modernbert' }));
  const others = Object.entries(OTHERS).map(([folder, name]) => readOther(folder, moreFamilies[name]));
  it.each(['f32', 'f16', 'q8', 'q4'] as const)('has all that models with %s weights use', (dtype) => {
    const steps = (['f32', 'f16'] as const).flatMap((act) =>
      [...configs, ...others].flatMap((read) => stepsOf(read, dtype, act)),
    );
    const gemms = new Set(steps.flatMap((step) => ('gemm' in step ? [keyOf(step.gemm)] : [])));
    const kernels = new Map(
      steps.flatMap((step) => ('kernel' in step ? [[JSON.stringify(step.kernel), step.kernel] as const] : [])),
    );
    const codes = [...kernels.values()].map(({ source, constants }) => withoutSizes(specialise(source, constants)));
    expect(gemms.size).toBeGreaterThan(20);
    expect(codes.length).toBeGreaterThan(20);
    const known = new Set([...gemmKinds().map(keyOf), ...variants.map(({ code }) => withoutSizes(code))]);
    expect([...gemms, ...codes].filter((made) => !known.has(made))).toEqual([]);
  });
});

describe('covering', () => {
  it('has every tile, and of every shader every part of a name', () => {
    const parts = (of: typeof variants) =>
      new Set(of.flatMap(({ shader, design, name }) => [design, ...name.split(', ').map((part) => shader + part)]));
    const few = covering(variants);
    expect(parts(few)).toEqual(parts(variants));
    expect(few.length).toBeLessThan(variants.length / 5);
  });
});
