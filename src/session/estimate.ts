/**
 * What a Transformer would need on a device, by the code that loads and runs it: as far as the first header of the weights, then a pass on a device
 * that allocates nothing.
 */
import type { Dtype } from '../api/types';
import type { ModelFiles } from '../formats/model-files';
import { readJson } from '../formats/read';
import { GpuMemory } from '../gpu/buffers';
import { counting } from '../gpu/counting';
import type { Gpu } from '../gpu/device';
import type { Dispatch } from '../gpu/kernel';
import { attentionPlan } from '../kernels/attention';
import type { Compile } from '../kernels/compile';
import { machineBudget } from '../model/choose-dtype';
import type { Head } from '../model/heads/head';
import type { LoadedModel } from '../model/model';
import type { TensorNames } from '../model/tensors';
import { loadWeights } from '../model/weights';
import { gatherRequests, type Item } from '../runtime/pass-items';
import type { Runtime } from '../runtime/runtime';
import { type OpenOptions, runtimeWith } from './load-runtime';
import type { Described } from './plan';

type Plan = Awaited<ReturnType<Described['planFor']>>;

/** The model does not fit, and why. */
export class TooLargeError extends Error {}

/**
 * Throws a TooLargeError if a buffer exceeds the device's limits or the weights what the machine is assumed to hold; else what the load would
 * throw.
 */
export async function estimate(described: Described, gpu: Gpu, options: OpenOptions) {
  const memory = new GpuMemory(counting(gpu));
  const alloc = memory.alloc.bind(memory);
  let refusal: unknown;
  memory.alloc = (...wanted) => {
    try {
      return alloc(...wanted);
    } catch (error) {
      refusal = error;
      throw error;
    }
  };
  try {
    return await fill(memory, described, options);
  } catch (error) {
    throw error === refusal ? new TooLargeError((error as RangeError).message) : error;
  }
}

async function fill(memory: GpuMemory, { files, json, config, planFor }: Described, options: OpenOptions) {
  const { gpu } = memory;
  const plan = await planFor(gpu);
  const { names, dtype } = await decide(files, plan, gpu, options);
  const built = plan.build(memory, names, dtype);
  const { model, modulePlaces } = built;
  const { weights } = memory.use();
  checkMachine(weights, dtype);

  const runtime = await runtimeWith(gpu, memory, model, uncompiled(gpu));
  const asked = options.maxTokensPerPass;
  const limit = runtime.tokenLimit;
  if (limit < 1 || (Number.isInteger(asked) && asked! > limit)) {
    throw new TooLargeError(
      `On this device a pass of this model can have ${limit} tokens (maxTokensPerPass), by its largest buffer.`,
    );
  }
  const perPass = plan.tokensPerPass(limit);
  const tokenizerConfig = await readJson(files, 'tokenizer_config.json', options);
  const { maxTokensOf } = (await import('./every-load')).everyLoad;
  const maxTokens = maxTokensOf(options.maxLength, config, plan.sentence, tokenizerConfig);
  const most = Math.min(maxTokens, perPass, model.gliner?.config.max_len ?? Infinity);
  await run(runtime, fullPass(model, await built.head, most, perPass));
  if (built.labels) {
    const own = await runtimeWith(gpu, memory, built.labels.model, uncompiled(gpu));
    await run(own, fullPass(built.labels.model, built.labels.head, LABEL_TOKENS, 4 * LABEL_TOKENS));
  }
  return {
    task: model.task,
    architecture: String(json.model_type),
    dtype,
    maxTokens,
    weightBytes: weights,
    gpuBytes: weights + memory.use().activations,
    /** Of modules with weights of their own: their folders. */
    moduleFolders: modulePlaces.filter(({ places }) => places.size > 0).map(({ folder }) => folder),
  };
}

/** What loadWeights decides when it has the header of the first file; the rest is not read. */
async function decide(files: ModelFiles, plan: Plan, gpu: Gpu, options: OpenOptions) {
  let decided: { names: TensorNames; dtype: Dtype } | undefined;
  const enough = new Error('The header says enough.');
  const placesOf = (names: TensorNames, dtype: Dtype): never => {
    decided = { names, dtype };
    throw enough;
  };
  await loadWeights(files, gpu, { ...plan, placesOf }, options).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
  return decided!;
}

/** Where browsers report 8 GiB, there may be more. */
const MOST_REPORTED = 8;

function checkMachine(weights: number, dtype: Dtype): void {
  const { deviceMemory: memory = MOST_REPORTED } = (globalThis.navigator ?? {}) as { deviceMemory?: number };
  if (memory >= MOST_REPORTED || weights <= machineBudget(memory)) return;
  const mib = Math.ceil(weights / 2 ** 20);
  throw new TooLargeError(
    `The weights take ${mib} MiB as ${dtype}, more than a quarter of this machine's ${memory} GiB of memory. Choose ${dtype === 'q4' ? '' : "dtype 'q8' or 'q4', or "}a smaller model.`,
  );
}

/** Tokens of a label for GLiNER: at the most, nearly always. */
const LABEL_TOKENS = 16;

const run = (runtime: Runtime, items: Item[]) =>
  runtime.run(
    items.map(({ ids }) => ids),
    gatherRequests(items).requests,
  );

/** Steps without kernels. A pass's work lists take memory too: they are those of the default plan. */
const uncompiled =
  (gpu: Gpu): Compile =>
  async (step) => ({
    step,
    variants: [],
    plan: 'attention' in step ? attentionPlan(gpu, step.attention) : undefined,
    dispatch: () => ({ kernel: {}, workgroups: [0] }) as unknown as Dispatch,
  });

/** As many sequences of `length` tokens as a pass holds, of which the head is asked for what calls usually ask for. */
function fullPass({ config, task }: LoadedModel, head: Head, length: number, tokens: number): Item[] {
  const items: Item[] = [];
  for (let left = tokens; left > 0; left -= length) {
    const ids = new Uint32Array(Math.min(length, left)).fill(config.padding_idx === 1 ? 2 : 1);
    const rows = task === 'mlm' ? Uint32Array.of(0) : ids.map((_, token) => token); // a mask in each text; else all tokens
    const words = new Uint32Array(3 * ids.length);
    items.push({ ids, wanted: [{ head, rows, lists: [words, words.slice(0, 12)], deliver() {} }] });
  }
  return items;
}
