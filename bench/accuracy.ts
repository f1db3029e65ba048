// What each dtype costs: node tools/run.mjs [--adapter NAME] bench/accuracy.ts [--models nano,base] [--out DIR]
// Prints a table and writes accuracy.json and accuracy.md into DIR. Everything is compared with dtype f32 in f32 arithmetic.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { create } from 'webgpu';
import type { Arithmetic, Compute, Dtype, Model } from '../src/api/types';
import { openGpu } from '../src/gpu/device';
import { loadModel } from '../src/node';
import { agreement, cosines, maskedTokens, paragraphs } from './agreement';
import { runCommand } from './args';
import { type BenchModel, benchModels } from './models';
import { columns, markdownTable } from './print';

/** Texts of the project that the built-in model was not trained on; its held-out documents do not ship with it. */
const TEXTS = ['src/ARCHITECTURE.md', 'LICENSE'];
const BASE_LENGTHS = [16, 48, 128];

interface Row {
  model: string;
  dtype: Dtype;
  arithmetic: Arithmetic;
  compute: Compute;
  /** Of each token's hidden state with f32's. */
  cosine_mean: number;
  cosine_min: number;
  /** Masked tokens: share that agrees with f32's first choice; share that is right; mean -ln p of the right token. Undefined without trained weights. */
  top1_agreement?: number;
  top1_accuracy?: number;
  cross_entropy?: number;
  gpu_weights_mb: number;
  /** Peak of heap and array buffers while loading, garbage included, above the level before. */
  loading_js_mb: number;
}

interface Outputs {
  hidden: Float32Array;
  logits: Float32Array | undefined;
}

type Variant = Pick<Row, 'dtype' | 'arithmetic' | 'compute'>;

const variants = (hasF16: boolean): Variant[] => {
  const dtypes: Dtype[] = ['f32', 'f16', 'q8', 'q4'];
  const arithmetics: Arithmetic[] = hasF16 ? ['f32', 'f16'] : ['f32'];
  return arithmetics.flatMap((arithmetic): Variant[] => [
    ...dtypes.map((dtype): Variant => ({ dtype, arithmetic, compute: 'float' })),
    { dtype: 'q8', arithmetic, compute: 'int8' },
  ]);
};

/** Loads a model; `loading` is the peak of JavaScript's memory meanwhile, in bytes above the level before. */
async function load({ source }: BenchModel, variant: Variant) {
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  let peak = before;
  const sample = () => {
    peak = Math.max(peak, used());
  };
  const timer = setInterval(sample, 1);
  const model = await loadModel(source, { ...variant, onProgress: sample });
  clearInterval(timer);
  return { model, loading: peak - before };
}

/** The batch to run, and its masked tokens: rows in the stream, and the original ids. */
async function inputsOf(model: Model, { name }: BenchModel) {
  if (name === 'nano')
    return maskedTokens(
      model,
      TEXTS.flatMap((file) => paragraphs(readFileSync(file, 'utf8'))),
    );
  const total = BASE_LENGTHS.reduce((a, b) => a + b, 0);
  const inputIds = Uint32Array.from({ length: total }, (_, i) => (i * 7919 + 13) % model.info.vocabSize);
  return { inputIds, lengths: Uint32Array.from(BASE_LENGTHS), rows: [], targets: [] };
}

async function compare(benchModel: BenchModel, hasF16: boolean): Promise<Row[]> {
  let reference: Outputs | undefined;
  const rows: Row[] = [];
  for (const variant of variants(hasF16)) {
    const { model, loading } = await load(benchModel, variant);
    const { inputIds, lengths, rows: masked, targets } = await inputsOf(model, benchModel);
    const gpu_weights_mb = model.memory().weights / 1e6;
    const { last_hidden_state } = await model.forward({ inputIds, lengths });
    let logits: Float32Array | undefined;
    if (masked.length > 0) {
      const outputs = await model.forward({ inputIds, lengths }, { outputs: ['logits'], rows: masked });
      logits = outputs.logits!.data;
    }
    await model.dispose();
    const outputs = { hidden: last_hidden_state!.data, logits };
    reference ??= outputs;
    rows.push({
      model: benchModel.name,
      ...variant,
      ...cosines(outputs.hidden, reference.hidden, model.info.hiddenSize),
      ...(logits && reference.logits ? agreement(logits, reference.logits, targets) : {}),
      gpu_weights_mb,
      loading_js_mb: loading / 1e6,
    });
    console.error(`${benchModel.name} ${variant.dtype} ${variant.arithmetic} ${variant.compute}: done`);
  }
  return rows;
}

const HEADER = [
  'model',
  'dtype',
  'arithmetic',
  'compute',
  'cosine mean',
  'min',
  'top-1 as f32',
  'top-1 right',
  'nats',
  'GPU MB',
  'JS MB',
];
const cells = (row: Row): string[] => [
  row.model,
  row.dtype,
  row.arithmetic,
  row.compute,
  row.cosine_mean.toFixed(6),
  row.cosine_min.toFixed(6),
  row.top1_agreement === undefined ? '' : `${(100 * row.top1_agreement).toFixed(1)}%`,
  row.top1_accuracy === undefined ? '' : `${(100 * row.top1_accuracy).toFixed(1)}%`,
  row.cross_entropy?.toFixed(3) ?? '',
  row.gpu_weights_mb.toFixed(1),
  row.loading_js_mb.toFixed(1),
];

const markdown = (adapter: string, rows: Row[]): string => `# Accuracy of each dtype

${adapter}. Compared with f32 weights and arithmetic; written by \`node tools/run.mjs bench/accuracy.ts --out bench/results\`.

- cosine: of each token's last hidden state. base: ModernBERT-base's shape with random weights, ${BASE_LENGTHS.join(' + ')} tokens. In q4 each
  of its layers adds about 0.01 to 1 - cosine, each of nano's trained ones 0.0005. This does not show what a trained model of base's size
  loses: none was available. Its rows are for comparing versions of the code.
- top-1: of tokens masked at 15% in ${TEXTS.join(' and ')}, by paragraph. The model was not trained on these texts, whose subjects and style
  are far from its books; its own held-out documents do not ship with it.
- GPU MB: weights. JS MB: peak of heap and array buffers while loading, garbage included, above the level before.

${markdownTable([HEADER, ...rows.map(cells)], 4)}
`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { models: { type: 'string' }, out: { type: 'string' } } });
  const gpu = await openGpu(create([]));
  const { info, hasF16 } = gpu;
  gpu.device.destroy();
  const adapter = `${info.device} (${info.description})`;
  const rows: Row[] = [];
  for (const model of benchModels(values.models?.split(','), undefined)) rows.push(...(await compare(model, hasF16)));
  console.log(columns([HEADER, ...rows.map(cells)]));
  if (values.out) {
    writeFileSync(join(values.out, 'accuracy.json'), `${JSON.stringify({ adapter, texts: TEXTS, rows }, null, 1)}\n`);
    writeFileSync(join(values.out, 'accuracy.md'), markdown(adapter, rows));
  }
}

runCommand(main);
