// What each dtype costs: node tools/run.mjs [--adapter NAME] bench/accuracy.ts [--models nano,base] [--out DIR]
// Prints a table, and writes accuracy.json and accuracy.md into DIR. Everything is compared with dtype f32 and f32 arithmetic.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { create } from 'webgpu';
import type { Arithmetic, Compute, Dtype, Model } from '../src/api/types';
import { openGpu } from '../src/gpu/device';
import { loadModel } from '../src/node';
import { agreement, cosines, maskedTokens, paragraphs } from './compare';
import { type BenchModel, benchModels } from './models';
import { columns } from './print';

/** The built-in model's held-out documents are not in the project; these texts are, and it was not trained on them. */
const TEXTS = ['src/ARCHITECTURE.md', 'LICENSE'];
const BASE_LENGTHS = [16, 48, 128];

interface Row {
  model: string;
  dtype: Dtype;
  arithmetic: Arithmetic;
  compute: Compute;
  /** Of hidden states, token by token, with those of f32. */
  cosine_mean: number;
  cosine_min: number;
  /** Masked tokens: share with f32's first choice; share that is right; mean -ln p of the right token. Undefined without trained weights. */
  top1_agreement?: number;
  top1_accuracy?: number;
  cross_entropy?: number;
  gpu_weights_mb: number;
  /** Most heap and array buffers while loading, garbage included, over what there was before. */
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

/** Loads, and watches JavaScript's memory meanwhile. */
async function load({ source }: BenchModel, variant: Variant) {
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  let most = before;
  const sample = () => {
    most = Math.max(most, used());
  };
  const timer = setInterval(sample, 1);
  const model = await loadModel(source, { ...variant, onProgress: sample });
  clearInterval(timer);
  return { model, loading: most - before };
}

/** The tokens that are run, and the masked ones among them: stream rows and what they were. */
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

- cosine: of the last hidden states, token by token. base: ModernBERT-base's shape with random weights, ${BASE_LENGTHS.join(' + ')} tokens. In
  q4 each of its layers adds about 0.01 to 1 - cosine, each of nano's trained ones 0.0005. What a trained model of base's size loses is not
  known from this: none was at hand. Its rows compare versions of the code.
- top-1: of tokens masked at 15% in ${TEXTS.join(' and ')}, paragraph by paragraph. The model's own held-out documents do not ship with it; it was not
  trained on these texts, whose subjects and style are far from its books.
- GPU MB: weights. JS MB: the most heap and array buffers while loading, garbage included, over the baseline.

${[HEADER, HEADER.map((_, i) => (i < 4 ? '---' : '---:')), ...rows.map(cells)].map((row) => `| ${row.join(' | ')} |`).join('\n')}
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

main().then(
  () => process.exit(0), // Dawn's threads would keep the process alive.
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
