// Creates every compute pipeline of the library, one after the other, on this process's adapter. Before each it writes a marker line to
// standard error, where Mesa's compilers print their output. Run by main.mjs: pipelines.js JOB.json
import { readFileSync, writeSync } from 'node:fs';
import { create } from 'webgpu';
import type { Arithmetic, Compute, Dtype } from '../../src/api/types';
import { type Gpu, openGpu } from '../../src/gpu/device';
import { addRows } from '../../src/kernels/add_rows';
import { attentionKernel, attentionPlan, type RelativeSpec } from '../../src/kernels/attention';
import { createCompiler } from '../../src/kernels/compile';
import { matrixTiles, tilesFor } from '../../src/kernels/gemm';
import type { GemmPlan, GemmSpec } from '../../src/kernels/gemm-spec';
import { groupMax, rowStride } from '../../src/kernels/group_max';
import { headScores } from '../../src/kernels/head_scores';
import { headsLayout, paddedWidth } from '../../src/kernels/layout';
import { lstm } from '../../src/kernels/lstm';
import { dotRows, labelFeatures, spanFeatures } from '../../src/kernels/pair_features';
import { relativeBias } from '../../src/kernels/relative_bias';
import type { Step } from '../../src/kernels/step';
import { buildModel } from '../../src/model/build';
import { readModelConfig } from '../../src/model/families/registry';
import type { ChunkSizes } from '../../src/model/family';
import { pooledEmbedding } from '../../src/model/heads/embeddings';
import { lastHiddenState } from '../../src/model/heads/hidden';
import { sequenceLogits } from '../../src/model/heads/logits';
import { sparseEmbedding } from '../../src/model/heads/sparse';
import { topK } from '../../src/model/heads/top-k';
import { unchanged } from '../../src/model/modules/module';
import type { SpladePooling } from '../../src/model/modules/splade-pooling';
import { chainOf } from '../../src/model/sentence';
import { compileEncoder } from '../../src/runtime/runtime';
import type { Job, Made } from './job';

interface Tier {
  tier: string;
  dtype: Dtype;
  act: Arithmetic;
  compute?: Compute;
  /** Use the device's matrix units. */
  matrix?: boolean;
}

const TIERS: Tier[] = [
  { tier: 'f32', dtype: 'f32', act: 'f32' },
  { tier: 'f16-storage', dtype: 'f16', act: 'f32' },
  { tier: 'shader-f16', dtype: 'f16', act: 'f16' },
  { tier: 'f32-weights-shader-f16', dtype: 'f32', act: 'f16' },
  { tier: 'subgroup-matrix', dtype: 'f16', act: 'f16', matrix: true },
  { tier: 'int8', dtype: 'q8', act: 'f32', compute: 'int8' },
];

const job: Job = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** Writes a line that no compiler prints. */
const mark = (kind: string, value: unknown) => writeSync(2, `\n@@${kind} ${JSON.stringify(value)}\n`);

/** What a shader's variants have in common before the entry point: everything but the constants, aliases and extensions that `specialise` sets. */
const skeleton = (code: string) => code.slice(0, code.indexOf('@compute')).replace(/^(const|alias|enable)\b.*\n/gm, '');
const stems = new Map(Object.entries(job.shaders).map(([stem, code]) => [skeleton(code), stem]));

const isWanted = ({ shader, kernel, model, tier }: Made): boolean => {
  const name = `${shader} ${kernel} ${model} ${tier}`;
  return job.only.every((word) => (TIERS.some((t) => t.tier === word) ? word === tier : name.includes(word)));
};

/** The model and tier being compiled, for the markers. */
let context = { model: '', tier: '' };
const compiled = new Map<string, Made>();

/** `gpu` with a device that compiles one pipeline at a time and each source only once. */
function serial(gpu: Gpu): Gpu {
  const { device } = gpu;
  const sources = new WeakMap<GPUShaderModule, string>();
  let last: Promise<unknown> = Promise.resolve();
  const compile = async (descriptor: GPUComputePipelineDescriptor, where: typeof context): Promise<unknown> => {
    const code = sources.get(descriptor.compute.module)!;
    const shader = stems.get(skeleton(code));
    if (!shader)
      throw new Error(`the pipeline '${descriptor.label}' has a source that is in no WGSL file of src/kernels`);
    const made: Made = { shader, kernel: descriptor.label ?? '', ...where, source: `s${compiled.size}` };
    if (!isWanted(made)) return undefined;
    const twin = compiled.get(code);
    if (twin) {
      mark('same', { ...made, source: twin.source });
      return undefined;
    }
    compiled.set(code, made);
    mark('pipeline', made);
    const pipeline = await device.createComputePipelineAsync(descriptor);
    mark('end', made);
    return pipeline;
  };
  const replaced: Partial<Record<string | symbol, unknown>> = {
    createBuffer(descriptor: GPUBufferDescriptor) {
      return device.createBuffer({ ...descriptor, size: 256 }); // nothing runs, and the shim has little memory
    },
    queue: { writeBuffer() {} },
    createShaderModule(descriptor: GPUShaderModuleDescriptor) {
      const module = device.createShaderModule(descriptor);
      sources.set(module, descriptor.code);
      return module;
    },
    createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
      const now = { ...context };
      const result = last.then(() => compile(descriptor, now));
      last = result.catch(() => {});
      return result;
    },
  };
  const proxy = new Proxy(device, {
    get(target, name) {
      if (name in replaced) return replaced[name];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...gpu, device: proxy };
}

/** Heads whose kernels are compiled, by the checkpoint's task. */
const MAX: SpladePooling = {
  ...unchanged,
  kind: 'SpladePooling',
  path: '',
  gives: 'sparse',
  pooling_strategy: 'max',
  activation_function: 'relu',
};
const SPLADE = chainOf([MAX], 0);

const HEADS = {
  mlm: [
    lastHiddenState,
    topK(5),
    pooledEmbedding({ pooling: ['mean'], normalize: true }),
    pooledEmbedding({ pooling: ['cls'], normalize: true }),
    sparseEmbedding(SPLADE, 1024),
  ],
  seqcls: [sequenceLogits],
};

/** Kernels of modules, of GLiNER's heads and of other architectures, which need no checkpoint's config but its width. */
function otherSteps(width: number, act: Arithmetic, gpu: Gpu): Step<ChunkSizes>[] {
  const { none: of } = gpu;
  const half = width / 2;
  const count = () => 0; // nothing runs
  const own = { number: of, spans: of };
  const heads = headsLayout(width / 64, 64);
  const side = { stride: width, column: 0 };
  /** Attention with a bias by distance: MPNet's, DeBERTa's. */
  const biased = (name: string, relative: RelativeSpec) =>
    attentionPlan(gpu, heads).map(({ tile }): Step<ChunkSizes> => {
      const kernel = attentionKernel({ ...heads, act, window: 0, relative }, tile);
      return {
        label: 'attention',
        kernel: { ...kernel, label: `attention, ${name}` },
        buffers: { qkv: of, tiles: of, bounds: of, out: of, relative_bias: of, c2p: of, p2c: of },
        workgroups: () => [0],
      };
    });
  return [
    ...biased('bias', { reach: 128 }),
    ...biased('disentangled', { reach: 512, span: 512 }),
    headScores({ ...heads, act, columns: 512, a: side, b: side }, { a: of, b: of, scores: of }, count),
    relativeBias({ heads: heads.heads, reach: 128 }, { buckets: of, weight: of, relative_bias: of }),
    addRows({ stride: width, sumStride: width, columns: width }, { rows: of, weights: of, sum: of }, count),
    lstm(
      { hidden: half, columns: half, gates: 2 * width, outStride: width, outColumn: 0, reverse: false },
      { ...own, gates: of, weight: of, bias: of, out: of },
    ),
    spanFeatures({ columns: width, relu: true }, { ...own, starts: of, ends: of, features: of }, count),
    labelFeatures({ width }, { ...own, words: of, labels: of, features: of }, count),
    dotRows({ columns: width, count: 12, stride: 96 }, { ...own, rows: of, others: of, bias: of, scores: of }, count),
    ...[false, true].map((int8) => ({
      label: 'group_max', // an index's, of rows as wide as the model
      kernel: {
        ...groupMax(rowStride((int8 ? 1 : 4) * width), int8),
        label: `group_max, ${int8 ? 'int8' : 'float32'}`,
      },
      buffers: { query: of, rows: of, scales: of, allowed: of, largest: of },
      workgroups: (): [number] => [0],
    })),
  ];
}

const gpu = serial(await openGpu(create(job.toggles.map((name) => `enable-dawn-features=${name}`))));
mark('adapter', { ...gpu.info, features: [...gpu.device.features].sort() });
for (const { tier, dtype, act, compute = 'float', matrix = false } of TIERS) {
  if ((act === 'f16' && !gpu.hasF16) || (matrix && !gpu.subgroupMatrix)) continue;
  // Every tile that a device chooses from; the last entry of a plan has no limit.
  const planFor = async (spec: GemmSpec): Promise<GemmPlan> => {
    const tiles = matrix ? matrixTiles(gpu, spec) : tilesFor({ ...gpu, subgroupMatrix: undefined }, spec);
    return tiles.map((tile, i) => (i + 1 < tiles.length ? { upTo: i, tile } : { tile }));
  };
  for (const { name, config: json } of job.models) {
    context = { model: name, tier };
    for (const task of ['mlm', 'seqcls'] as const) {
      const { model } = buildModel({
        ...(await readModelConfig(json)),
        gpu,
        sentence: { modules: [], chains: {} },
        names: new Set(),
        dtype,
        act,
        compute,
        task,
        alloc: () => gpu.none, // nothing runs
      });
      if (task === 'mlm') await compileEncoder(model, createCompiler(gpu, planFor));
      const compile = createCompiler(gpu);
      const steps: Step<ChunkSizes>[] = HEADS[task].flatMap((head) => head.build(model).steps);
      if (task === 'mlm')
        for (const step of otherSteps(paddedWidth(model.config.hidden_size), act, gpu)) steps.push(step);
      await Promise.all(steps.map((step) => compile(step)));
    }
  }
}
mark('done', {});
process.exit(0); // Dawn's threads would keep the process alive.
